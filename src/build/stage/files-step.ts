// COPY and ADD.

import { isDigest } from '../../oci/digest.ts';
import { ImagesError, isImagesError } from '../../oci/errors.ts';
import { findPath, headerOf, walk } from '../../rootfs/tree.ts';
import type { TarHeader } from '../../tar/entry.ts';
import { fileInMemory, filesSource } from '../context/one-file.ts';
import { compilePatterns, PatternError, type Patterns } from '../context/patterns.ts';
import { heredocText } from '../dockerfile/heredoc.ts';
import type { Word } from '../dockerfile/instructions.ts';
import { isUrl, nameOfUrl, refuseGit } from '../dockerfile/parse-files.ts';
import { mistake } from '../dockerfile/source.ts';
import { type ChangeMode, parseMode } from '../files/chmod.ts';
import { type CopyRules, copyMatch, copySource } from '../files/copy-files.ts';
import { matchSource, normalised } from '../files/globs.ts';
import { layerArchive } from '../files/layer-archive.ts';
import { hasNames, type Owner, ownerOf } from '../files/owners.ts';
import { createTarget } from '../files/target.ts';
import type { ArchiveFile, TreeSource } from '../files/tree-source.ts';
import { writeUnpacked } from '../files/write-archive.ts';
import { createCopyPlan } from '../files/write-copies.ts';
import type { Of, Step } from './build.ts';
import { stageLabel } from './build.ts';
import { sourceStage } from './graph.ts';
import { layerStep, type StepResult, type StepWork } from './layer-step.ts';
import { accountsOf, layersSource, type StageLayer, treeOf } from './state.ts';
import { expanded, expandedText } from './variables.ts';

type FilesInstruction = Of<'copy' | 'add'>;

export interface FilesResult extends StepResult {
  /** For the history. */
  readonly text: string;
}

/** Errors: DOCKERFILE_INVALID, those of sources and of the place. */
export async function filesStep(step: Step, instruction: FilesInstruction): Promise<FilesResult> {
  const { statement } = instruction;
  const { state, variables } = step;
  const value = (word: string) => expanded(statement, word, variables);
  const optional = (word: string | undefined) => (word === undefined ? undefined : value(word) || undefined);
  const destination = value(instruction.destination.text);
  const said: Said = {
    instruction,
    destination: absolute(state.config.inner.WorkingDir ?? '/', destination),
    chown: optional(instruction.chown),
    chmod: optional(instruction.chmod),
    exclude: instruction.exclude,
    sources: instruction.sources.map((word) => ({ word, text: value(word.text) })),
    files: instruction.heredocs.map((heredoc) => {
      const text = heredocText(heredoc);
      return { name: heredoc.name, content: heredoc.expands ? expandedText(statement, text, variables) : text };
    }),
  };
  if (instruction.kind === 'add') refuseGit(instruction, value);
  const mode = modeOf(said);
  const exclude = excludeOf(said);
  const from = await originOf(step, instruction);
  // With --link and a name the key needs the number; else the layers below decide it.
  const owner = instruction.link && said.chown && hasNames(said.chown) ? await ownerIn(step, said) : said.chown;
  const actions = await actionsOf(step, said, from);
  const below = instruction.link ? [] : state.layers.map(({ id }) => id);
  const { destination: to, chmod, exclude: excluded } = said;
  const key = [
    'files',
    1,
    instruction.kind,
    below,
    to,
    owner,
    chmod,
    excluded,
    parentsOf(instruction),
    actions.map(({ id }) => id),
  ];
  const result = await placing(said, () =>
    layerStep(key, step.settings, () => work(step, said, { actions, mode, exclude })),
  );
  return { ...result, text: textOf(said, destination) };
}

interface Said {
  readonly instruction: FilesInstruction;
  readonly destination: string;
  readonly chown: string | undefined;
  readonly chmod: string | undefined;
  readonly exclude: readonly string[];
  readonly sources: readonly { readonly word: Word; readonly text: string }[];
  readonly files: readonly { readonly name: string; readonly content: string }[];
}

/** One source, in the instruction's order. */
type Action =
  | { readonly kind: 'copy'; readonly id: unknown; copy(rules: CopyRules, plan: PlanParts): Promise<void> | void }
  | { readonly kind: 'unpack'; readonly id: unknown; readonly file: ArchiveFile };

interface PlanParts {
  readonly target: ReturnType<typeof createTarget>;
  readonly onContent: ReturnType<typeof createCopyPlan>['onContent'];
}

interface Origin {
  /** What the source is, in keys; `undefined` where its files decide. */
  readonly id: unknown;
  readonly open: () => Promise<TreeSource>;
}

async function originOf(step: Step, instruction: FilesInstruction): Promise<Origin> {
  const { build, stage } = step;
  const from = instruction.kind === 'copy' ? instruction.from : undefined;
  if (from === undefined) return { id: undefined, open: build.context };
  const source = sourceStage(build.graph, stage.index, from, instruction);
  const layers: readonly StageLayer[] = source ? (await build.stage(source)).layers : await build.imageLayers(from);
  const name = source ? `stage ${stageLabel(source)}` : from;
  return { id: layers.map(({ id }) => id), open: () => layersSource(name, layers, build.call) };
}

async function actionsOf(step: Step, said: Said, origin: Origin): Promise<readonly Action[]> {
  const actions: Action[] = [];
  for (const source of said.sources) {
    actions.push(...(await placing(said, () => sourceActions(step, said, origin, source), source.word)));
  }
  for (const { name, content } of said.files) {
    const file = fileInMemory(name, Buffer.from(content), { mode: 0o644, time: step.build.times.made });
    actions.push(copyAll(filesSource('the heredoc', [file]), name, ['heredoc', name, content]));
  }
  return actions;
}

async function sourceActions(
  step: Step,
  said: Said,
  origin: Origin,
  { text }: { readonly text: string },
): Promise<readonly Action[]> {
  const { instruction } = said;
  const unpack = instruction.kind === 'add' ? instruction.unpack : false;
  if (instruction.kind === 'add' && isUrl(text)) return await urlActions(step, said, text, unpack ?? false);
  // Only layers that are not known yet have to be looked into: their identity says enough.
  if (origin.id !== undefined && unpack === false) {
    const copy = async (rules: CopyRules, plan: PlanParts) => copySource({ ...plan, rules }, await origin.open(), text);
    return [{ kind: 'copy', id: [origin.id, text], copy }];
  }
  const source = await origin.open();
  if (unpack === false) return [copyAll(source, text, await contentIds(source, text, said))];
  const actions: Action[] = [];
  for (const match of matchSource(source, text)) {
    const { node } = match.placed;
    const file =
      node.children || headerOf(node).type !== 'file' ? undefined : await source.archive(node.inode, step.build.call);
    if (file) actions.push({ kind: 'unpack', id: ['archive', file.id], file });
    else {
      const id = [match.named, await idsBelow(source, match.placed.path)];
      actions.push({ kind: 'copy', id, copy: (rules, plan) => copyMatch({ ...plan, rules }, source, match) });
    }
  }
  return actions;
}

function copyAll(source: TreeSource, text: string, id: unknown): Action {
  return { kind: 'copy', id, copy: (rules, plan) => copySource({ ...plan, rules }, source, text) };
}

async function urlActions(step: Step, said: Said, url: string, unpack: boolean): Promise<readonly Action[]> {
  const { build } = step;
  const { download } = build.seams;
  const { instruction, sources } = said;
  const checksum = instruction.kind === 'add' ? instruction.checksum : undefined;
  const digest = checksum === undefined ? undefined : expanded(instruction.statement, checksum, step.variables);
  if (digest !== undefined && !isDigest(digest)) {
    throw mistake(instruction.statement, `no digest [${digest}]`, {
      hint: 'Write --checksum=sha256:… with 64 digits.',
    });
  }
  if (!download)
    throw mistake(instruction.statement, `nothing is fetched from addresses here [${url}]`, {
      at: sources[0]?.word.at ?? 0,
    });
  const name = nameOfUrl(url);
  const open = () => download(url, { ...build.call, ...(digest && { checksum: digest }) });
  // With a checksum nothing is fetched before it is needed.
  if (digest && !unpack) {
    const copy = async (rules: CopyRules, plan: PlanParts) => copySource({ ...plan, rules }, await open(), name);
    return [{ kind: 'copy', id: ['url', name, digest], copy }];
  }
  const source = await open();
  const node = source.tree.root.children?.get(name);
  const file = unpack && node ? await source.archive(node.inode, build.call) : undefined;
  if (file) return [{ kind: 'unpack', id: ['archive', file.id], file }];
  return [copyAll(source, name, ['url', name, node ? await source.contentId(node.inode) : ''])];
}

/** Of all that a source means: names, headers without times, contents. */
async function contentIds(source: TreeSource, text: string, said: Said): Promise<unknown> {
  const pivot = parentsOf(said.instruction) ? (text.includes('/./') ? text.slice(0, text.indexOf('/./')) : '/') : text;
  const matches = matchSource(source, pivot === '' ? '/' : pivot);
  return [
    text,
    await Promise.all(matches.map(async ({ named, placed }) => [named, await idsBelow(source, placed.path)])),
  ];
}

async function idsBelow(source: TreeSource, path: string): Promise<unknown> {
  const found = findPath(source.tree, path);
  const ids: unknown[] = [];
  for (const { path: each, node } of found ? walk(found.node) : []) {
    const { type, mode, uid, gid, linkname, device, xattrs } = headerOf(node);
    const attributes = [...xattrs].map(([name, value]) => [name, Buffer.from(value).toString('base64')]);
    const content = type === 'file' ? await source.contentId(node.inode) : '';
    ids.push([each, type, mode, uid, gid, linkname, device, attributes, node.inode.links, content]);
  }
  return ids;
}

interface Doing {
  readonly actions: readonly Action[];
  readonly mode: ChangeMode | undefined;
  readonly exclude: Patterns | undefined;
}

async function work(step: Step, said: Said, doing: Doing): Promise<StepWork> {
  const { build, state } = step;
  const { instruction } = said;
  const tree = await treeOf(instruction.link ? [] : state.layers, build.call);
  const owner = said.chown === undefined ? undefined : await ownerIn(step, said);
  const octal = said.chmod !== undefined && /^[0-7]+$/.test(said.chmod);
  const rules: CopyRules = {
    destination: said.destination,
    owner,
    mode: doing.mode,
    directoryMode: octal && doing.mode ? doing.mode(0, true) : 0o755,
    exclude: doing.exclude,
    parents: parentsOf(instruction),
    time: build.times.made,
  };
  const archive = layerArchive(build.times.of);
  async function* bytes(): AsyncGenerator<Uint8Array> {
    let collect: (path: string, header: TarHeader) => void = () => {};
    const target = createTarget(tree, (path, header) => collect(path, header));
    for (let at = 0; at < doing.actions.length; ) {
      const action = doing.actions[at] as Action;
      if (action.kind === 'unpack') {
        const emitted: [string, TarHeader][] = [];
        collect = (path, header) => emitted.push([path, header]);
        yield* writeUnpacked(action.file, { target, rules, emitted }, archive, build.call);
        at++;
        continue;
      }
      const plan = createCopyPlan();
      collect = plan.collect;
      for (let next = doing.actions[at]; next?.kind === 'copy'; next = doing.actions[++at]) {
        await next.copy(rules, { target, onContent: plan.onContent });
      }
      yield* plan.write(archive, build.call);
    }
    yield* archive.finish();
  }
  return { archive: bytes(), index: archive.index, isEmpty: () => archive.index().entries.length === 0 };
}

async function ownerIn(step: Step, { chown, instruction }: Said): Promise<Owner> {
  const text = chown ?? '0:0';
  const accounts = hasNames(text) ? await accountsOf(step.state.layers, step.build.call) : { users: [], groups: [] };
  try {
    return ownerOf(text, accounts);
  } catch (error) {
    if (!isImagesError(error, 'PATH_UNKNOWN')) throw error;
    throw mistake(instruction.statement, error.message, flagPlace(instruction, '--chown', error.hint));
  }
}

function modeOf({ chmod, instruction }: Said): ChangeMode | undefined {
  if (chmod === undefined) return undefined;
  const mode = parseMode(chmod);
  if (mode) return mode;
  const hint = 'Write an octal number up to 07777, or u=rwX,go=rX.';
  throw mistake(instruction.statement, `no mode [${chmod}]`, flagPlace(instruction, '--chmod', hint));
}

function excludeOf({ exclude, instruction }: Said): Patterns | undefined {
  if (exclude.length === 0) return undefined;
  try {
    return compilePatterns(exclude);
  } catch (error) {
    if (!(error instanceof PatternError)) throw error;
    throw mistake(instruction.statement, error.message, flagPlace(instruction, '--exclude'));
  }
}

function flagPlace({ statement }: FilesInstruction, flag: string, hint?: string): { at: number; hint?: string } {
  return { at: Math.max(statement.text.indexOf(flag), 0), ...(hint !== undefined && { hint }) };
}

function parentsOf(instruction: FilesInstruction): boolean {
  return instruction.kind === 'copy' && instruction.parents;
}

/** Says in which line it was, and below what. */
async function placing<T>({ instruction, sources }: Said, act: () => Promise<T>, word?: Word): Promise<T> {
  try {
    return await act();
  } catch (error) {
    if (!isImagesError(error, 'PATH_UNKNOWN', 'TAR_INVALID')) throw error;
    const { text, at } = word ?? sources[0]?.word ?? instruction.destination;
    const { excerpt, position, message } = mistake(instruction.statement, error.message, { at, length: text.length });
    throw new ImagesError(error.code, message, {
      ...(error.hint !== undefined && { hint: error.hint }),
      ...(position && { position }),
      excerpt,
      cause: error,
    });
  }
}

/** Below the working directory; a `/` at the end stays. Nothing at all is the working directory itself. */
function absolute(workdir: string, destination: string): string {
  if (destination.startsWith('/')) return destination;
  const path = destination === '' || destination === '.' ? './' : destination;
  return `/${normalised(workdir)}/${path}`.replaceAll(/\/{2,}/g, '/');
}

function textOf(said: Said, destination: string): string {
  const { instruction, chown, chmod, sources, files } = said;
  const words = [
    instruction.name,
    ...(parentsOf(instruction) ? ['--parents'] : []),
    ...(chown === undefined ? [] : [`--chown=${chown}`]),
    ...(chmod === undefined ? [] : [`--chmod=${chmod}`]),
    ...sources.map(({ text }) => text),
    ...files.map(({ name }) => `<<${name}`),
    destination,
  ];
  return `${words.join(' ')} # buildkit`;
}
