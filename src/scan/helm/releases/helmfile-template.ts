// A helmfile that is a template (`helmfile.yaml.gotmpl`, or `{{` in helmfile.yaml), rendered for the default environment.
// Format: helmfile.readthedocs.io, "Environment", "Templating". Each part between `---` sees the values of earlier parts and its own.
import type { FileTree } from '../../contract.ts';
import { resolveIn } from '../../tree-paths.ts';
import { FUNCTIONS } from '../functions/functions.ts';
import { cleanedLines, type RenderedManifest } from '../render.ts';
import type { TemplateFunction } from '../template/engine.ts';
import { TemplateError } from '../template/errors.ts';
import { renderTemplate } from '../template/evaluator.ts';
import { TemplateSyntaxError } from '../template/lexer.ts';
import { type Body, parseTemplate } from '../template/parser.ts';
import { type Dictionary, DOUBT, dictionary, isDictionary, isTrue, print, UNKNOWN } from '../template/values.ts';
import type { WorkBudget } from '../template/work.ts';
import { readYaml } from '../template/yaml-values.ts';
import { mergeOver, valueAtPath } from '../values.ts';

/** File names of helmfiles: `helmfile.yaml`, `helmfile-apps.yaml.gotmpl`, and files in `helmfile.d`. */
export function isHelmfile(file: string): boolean {
  return /(?:^|\/)helmfile(?:\.d\/[^/]*|[^/]*)\.ya?ml(?:\.gotmpl)?$/.test(file);
}

export interface RenderedHelmfile {
  readonly documents: readonly { readonly value: Dictionary; readonly line: number }[];
  readonly manifest: RenderedManifest;
  /** The first expression that could not be evaluated. */
  readonly problem: { readonly text: string; readonly line: number } | undefined;
  /** Whether parts of the output depend on an unknown condition. */
  readonly isDoubtful: boolean;
}

export async function renderHelmfile(
  tree: FileTree,
  file: string,
  { text, budget }: { readonly text: string; readonly budget: WorkBudget },
): Promise<RenderedHelmfile> {
  const values = dictionary();
  const problems: { readonly text: string; readonly line: number }[] = [];
  const documents: { readonly value: Dictionary; readonly line: number }[] = [];
  const texts: string[] = [];
  const lines: RenderedManifest['lines'][number][] = [];
  let first = 1;
  let isDoubtful = false;
  for (const part of text.split(/^---[ \t]*\r?$/m)) {
    const problem = (problemText: string, line: number): void => {
      problems.push({ text: problemText, line: line + first - 1 });
    };
    const render = (): Rendered => renderPart(part, values, { budget, problem });
    let rendered = render();
    if (await addEnvironment(values, readPart(rendered.text), { tree, file })) {
      problems.length = 0;
      rendered = render();
    }
    isDoubtful ||= rendered.text.includes(DOUBT);
    const value = readPart(rendered.text);
    if (value) documents.push({ value, line: first });
    const plain = cleanedLines(rendered.text, rendered.lines);
    texts.push(plain.text);
    // A line with `---` ends one part and begins the next, and must be counted once.
    lines.pop();
    for (const line of plain.lines) lines.push({ ...line, line: line.line + first - 1 });
    first += part.split('\n').length - 1;
  }
  return {
    documents,
    manifest: { file, text: texts.join('---'), lines, off: undefined },
    problem: problems[0],
    isDoubtful,
  };
}

type Rendered = ReturnType<typeof renderTemplate>;

function renderPart(
  part: string,
  values: Dictionary,
  { budget, problem }: { readonly budget: WorkBudget; readonly problem: (text: string, line: number) => void },
): Rendered {
  try {
    const { body, defines } = parseTemplate(part);
    const parse = (source: string): Body => parseTemplate(source).body;
    const dot = dictionary([
      ['Values', values],
      ['StateValues', values],
      [
        'Environment',
        dictionary([
          ['Name', 'default'],
          ['KubeContext', UNKNOWN],
          ['Values', values],
        ]),
      ],
      ['Namespace', UNKNOWN],
      ['KubeContext', UNKNOWN],
    ]);
    return renderTemplate(body, dot, { functions: HELMFILE_FUNCTIONS, templates: defines, parse, problem, budget });
  } catch (error) {
    const isTemplates = error instanceof TemplateError || error instanceof TemplateSyntaxError;
    if (!isTemplates && !(error instanceof RangeError)) throw error;
    problem(isTemplates ? error.message : 'it is nested too deeply', 1);
    // Lines without template syntax are still used.
    const plain = part.split('\n').map((line) => (line.includes('{{') ? '' : line));
    return { text: plain.join('\n'), lines: plain.map((_, index) => ({ line: index + 1 })) };
  }
}

function readPart(text: string): Dictionary | undefined {
  const value = readYaml(text.replaceAll(DOUBT, ''));
  return isDictionary(value) ? value : undefined;
}

/** Adds the values for all environments and for the default one. Returns whether there are any. */
async function addEnvironment(
  values: Dictionary,
  document: Dictionary | undefined,
  { tree, file }: { readonly tree: FileTree; readonly file: string },
): Promise<boolean> {
  const directory = file.slice(0, Math.max(0, file.lastIndexOf('/')));
  let hasSome = false;
  for (const list of [document?.values, valueAtPath(document, 'environments.default.values')]) {
    for (const entry of Array.isArray(list) ? list : []) {
      const path = typeof entry === 'string' ? resolveIn(directory, entry) : undefined;
      const isHere = path !== undefined && !path.endsWith('.gotmpl') && tree.has(path);
      const more = isHere ? readYaml(await tree.read(path)) : entry;
      if (!isDictionary(more)) continue;
      mergeOver(values, more);
      hasSome = true;
    }
  }
  return hasSome;
}

/** A function whose result only the machine that runs helmfile knows. */
const unknown =
  (name: string): TemplateFunction =>
  (args, engine) => {
    engine.problem(`[${[name, ...args.map((arg) => JSON.stringify(print(arg)))].join(' ')}] is not known here`);
    return UNKNOWN;
  };

/** For example `.Values | get "a.b" "default"`. */
const get: TemplateFunction = (args) => {
  const path = print(args[0]);
  const found = valueAtPath(args.at(-1), path);
  return found === undefined && args.length > 2 ? args[1] : found;
};

const HELMFILE_FUNCTIONS: ReadonlyMap<string, TemplateFunction> = new Map([
  ...FUNCTIONS,
  ...['env', 'requiredEnv', 'exec', 'readFile', 'readDir', 'readDirEntries', 'isFile', 'isDir', 'fetchSecretValue'].map(
    (name) => [name, unknown(name)] as const,
  ),
  ['expandSecretRefs', unknown('expandSecretRefs')],
  ['get', get],
  ['getOrNil', get],
  ['toBool', ([value]) => isTrue(value) && print(value) !== 'false'],
]);
