// The sources of COPY and ADD, and their part of the key: the contents of the files, or the identity of the layers.
import { tryParseHttpUrl } from '../../io/http/http-url.ts';
import { addAll } from '../../oci/add-all.ts';
import { isDigest } from '../../oci/digest.ts';
import { findPath, headerOf, walk } from '../../rootfs/tree.ts';
import { fileInMemory, filesSource } from '../context/one-file.ts';
import { isUrl, nameOfUrl } from '../dockerfile/parse-files.ts';
import { mistake } from '../dockerfile/source.ts';
import { type CopyRules, copyFileNamed, copyMatch, copySource } from '../files/copy-files.ts';
import { matchSource } from '../files/globs.ts';
import type { TreeSource } from '../files/tree-source.ts';
import type { Of, Step } from './build.ts';
import {
  type PlanParts,
  parentsOf,
  placing,
  type Said,
  type SourceAction,
  type SourceOrigin,
} from './copy-arguments.ts';
import { layersSource } from './state.ts';
import { expanded } from './variables.ts';
import { withPosition } from './with-position.ts';
import { layersFrom } from './without-image.ts';

type FilesInstruction = Of<'copy' | 'add'>;

/** The context, an earlier stage, or an image. */
export async function originOf(step: Step, instruction: FilesInstruction): Promise<SourceOrigin> {
  const { build } = step;
  const from = instruction.kind === 'copy' ? instruction.from : undefined;
  if (from === undefined) return { id: undefined, open: build.context };
  const { name, layers } = await layersFrom(step, instruction, from);
  return { id: layers.map(({ id }) => id), open: () => layersSource(name, layers, build.call) };
}

/** What to copy and unpack, in the instruction's order. Errors: PATH_UNKNOWN, with its position. */
export async function actionsOf(step: Step, said: Said, origin: SourceOrigin): Promise<readonly SourceAction[]> {
  const actions: SourceAction[] = [];
  for (const source of said.sources) {
    addAll(actions, await placing(said, () => sourceActions(step, said, origin, source), source.word));
  }
  for (const { name, content } of said.files) {
    const file = fileInMemory(name, Buffer.from(content), { mode: 0o644, time: step.build.times.made });
    actions.push(copyFile(filesSource('the heredoc', [file]), name, ['heredoc', name, content]));
  }
  return actions;
}

async function sourceActions(
  step: Step,
  said: Said,
  origin: SourceOrigin,
  { text }: { readonly text: string },
): Promise<readonly SourceAction[]> {
  const { instruction } = said;
  const unpack = instruction.kind === 'add' ? instruction.unpack : false;
  if (instruction.kind === 'add' && isUrl(text)) return await urlActions(step, said, text, unpack ?? false);
  // The identity of the layers suffices for the key, so they are read only if the step is executed.
  if (origin.id !== undefined && unpack === false) {
    const copy = async (rules: CopyRules, plan: PlanParts) => copySource({ ...plan, rules }, await origin.open(), text);
    return [{ kind: 'copy', id: [origin.id, text], copy }];
  }
  const source = await origin.open();
  if (unpack === false) return [copyAll(source, text, await contentIds(source, text, said))];
  const actions: SourceAction[] = [];
  for (const match of matchSource(source, text)) {
    const { node } = match.found;
    const file =
      node.children || headerOf(node).type !== 'file' ? undefined : await source.archive(node.inode, step.build.call);
    if (file) actions.push({ kind: 'unpack', id: ['archive', file.id], file });
    else {
      const id = [match.named, await idsBelow(source, match.found.path)];
      actions.push({ kind: 'copy', id, copy: (rules, plan) => copyMatch({ ...plan, rules }, source, match) });
    }
  }
  return actions;
}

function copyAll(source: TreeSource, text: string, id: unknown): SourceAction {
  return { kind: 'copy', id, copy: (rules, plan) => copySource({ ...plan, rules }, source, text) };
}

function copyFile(source: TreeSource, name: string, id: unknown): SourceAction {
  return { kind: 'copy', id, copy: (rules, plan) => copyFileNamed({ ...plan, rules }, source, name) };
}

async function urlActions(step: Step, said: Said, url: string, unpack: boolean): Promise<readonly SourceAction[]> {
  const { build } = step;
  const { download } = build.seams;
  const { instruction, sources } = said;
  const checksum = instruction.kind === 'add' ? instruction.checksum : undefined;
  const digest = checksum === undefined ? undefined : expanded(instruction.statement, checksum, step.variables);
  if (digest !== undefined && !isDigest(digest)) {
    throw mistake(instruction.statement, `not a digest [${digest}]`, {
      hint: 'Write --checksum=sha256:… with 64 digits.',
    });
  }
  const word = sources.find(({ text }) => text === url)?.word;
  if (!tryParseHttpUrl(url)) {
    const { at, text } = word ?? instruction.destination;
    throw mistake(instruction.statement, `not an http address [${url}]`, { at, length: text.length });
  }
  if (!download)
    throw mistake(instruction.statement, `nothing is fetched from addresses here [${url}]`, {
      at: sources[0]?.word.at ?? 0,
    });
  const name = nameOfUrl(url);
  const open = async () =>
    await download(url, { ...build.call, ...(digest && { checksum: digest }) }).catch((error: unknown) => {
      throw withPosition(instruction.statement, word, error);
    });
  // A checksum suffices for the key, so the download can wait until it is needed.
  if (digest && !unpack) {
    const copy = async (rules: CopyRules, plan: PlanParts) => copyFileNamed({ ...plan, rules }, await open(), name);
    return [{ kind: 'copy', id: ['url', name, digest], copy }];
  }
  const source = await open();
  const node = source.tree.root.children?.get(name);
  const file = unpack && node ? await source.archive(node.inode, build.call) : undefined;
  if (file) return [{ kind: 'unpack', id: ['archive', file.id], file }];
  return [copyFile(source, name, ['url', name, node ? await source.contentId(node.inode) : ''])];
}

/** An id of all that a source matches: names, headers without times, contents. */
async function contentIds(source: TreeSource, text: string, said: Said): Promise<unknown> {
  const pivot = parentsOf(said.instruction) ? (text.includes('/./') ? text.slice(0, text.indexOf('/./')) : '/') : text;
  const matches = matchSource(source, pivot === '' ? '/' : pivot);
  return [
    text,
    await Promise.all(matches.map(async ({ named, found }) => [named, await idsBelow(source, found.path)])),
  ];
}

/** An id of all files below a path: names, headers without times, contents. */
export async function idsBelow(source: TreeSource, path: string): Promise<unknown> {
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
