// Parser directives at the top of a Dockerfile: `# escape=`, `# syntax=`, `# check=`. They end at the first line that is not a directive.
import { type DockerfileSource, mistakeAt } from './source.ts';

export interface Directive {
  readonly name: 'syntax' | 'escape' | 'check';
  readonly value: string;
  readonly line: number;
}

export interface DirectiveParser {
  readonly found: readonly Directive[];
  readonly escapeToken: '\\' | '`';
  /** Is called with each line in order. Returns true for a directive. Errors: DOCKERFILE_INVALID (duplicate directive, unknown escape character). */
  line(text: string, number: number): boolean;
}

/** Parses `# name = value`, without the blanks. */
function directiveIn(text: string): { readonly word: string; readonly value: string } {
  const [, word = '', value = ''] = /^#\s*([a-zA-Z][a-zA-Z0-9]*)\s*=(.+)$/s.exec(text) ?? [];
  return { word, value: value.trim() };
}

export function directiveParser(source: DockerfileSource): DirectiveParser {
  const found: Directive[] = [];
  let isOver = false;
  let escapeToken: '\\' | '`' = '\\';
  return {
    found,
    get escapeToken() {
      return escapeToken;
    },
    line(text, number) {
      if (isOver) return false;
      // The first line may be a shebang.
      if (number === 1 && text.startsWith('#!')) return true;
      const { word, value } = directiveIn(text);
      const name = word.toLowerCase();
      if (!isDirective(name)) {
        isOver = true;
        return false;
      }
      if (found.some((each) => each.name === name)) {
        const column = text.indexOf(word) + 1;
        throw mistakeAt(source, { line: number, column }, `the directive is there twice [${name}]`, {
          length: word.length,
        });
      }
      if (name === 'escape') {
        if (value !== '\\' && value !== '`') {
          const column = text.lastIndexOf(value) + 1;
          throw mistakeAt(source, { line: number, column }, `no escape character [${value}]`, {
            length: value.length,
            hint: 'It is \\ or `.',
          });
        }
        escapeToken = value;
      }
      found.push({ name, value, line: number });
      return true;
    },
  };
}

function isDirective(name: string): name is Directive['name'] {
  return name === 'syntax' || name === 'escape' || name === 'check';
}

/** The frontend that the text requests, in a comment of any of the three forms: `# syntax=`, `// syntax=`, `{"syntax": …}`. */
export function detectSyntax(text: string): string | undefined {
  const lines = text.replace(/^\ufeff/, '').split('\n');
  const body = lines[0]?.startsWith('#!') ? lines.slice(1) : lines;
  return syntaxIn(body, '#') ?? syntaxIn(body, '//') ?? syntaxInJson(body.join('\n'));
}

function syntaxIn(lines: readonly string[], mark: string): string | undefined {
  for (const line of lines) {
    if (!line.startsWith(mark)) return undefined;
    const { word, value } = directiveIn(`#${line.slice(mark.length)}`);
    if (!isDirective(word.toLowerCase())) return undefined;
    if (word.toLowerCase() === 'syntax') return value.split(' ', 1)[0];
  }
  return undefined;
}

function syntaxInJson(text: string): string | undefined {
  if (!text.trimStart().startsWith('{')) return undefined;
  try {
    const { syntax } = JSON.parse(text) as { readonly syntax?: unknown };
    return typeof syntax === 'string' ? syntax : undefined;
  } catch {
    return undefined;
  }
}
