// COPY, and ADD of files that are not unpacked: the layer entries that it makes from its sources. BuildKit is the reference for what is merged, kept and replaced.
import { ImagesError } from '../../oci/errors.ts';
import type { IndexedEntry } from '../../rootfs/contract.ts';
import { baseName, joinPath, parentPath } from '../../rootfs/path.ts';
import { findPath, headerOf, type Inode, type NodeAtPath, sortedNames, type TreeNode } from '../../rootfs/tree.ts';
import type { TarHeader } from '../../tar/entry.ts';
import { printableName } from '../../tar/names.ts';
import type { TarTime } from '../../tar/time.ts';
import type { Patterns } from '../context/patterns.ts';
import { compilePatterns } from '../context/patterns.ts';
import type { ChangeMode } from './chmod.ts';
import { type GlobMatch, hasWildcards, matchSource, normalised, noSuch } from './globs.ts';
import type { Owner } from './owners.ts';
import type { Target } from './target.ts';
import type { TreeSource } from './tree-source.ts';

export interface CopyRules {
  /** Absolute. With `/` or `/.` at its end it is a directory. */
  readonly destination: string;
  readonly owner: Owner | undefined;
  readonly mode: ChangeMode | undefined;
  /** Mode of missing parent directories, which are created. */
  readonly directoryMode: number;
  readonly exclude: Patterns | undefined;
  /** `--parents`. */
  readonly parents: boolean;
  /** The time of what has none of its own. */
  readonly time: TarTime;
}

/** Told the source of a file's content, before the file is put. */
export type OnContent = (path: string, content: FileContent) => void;

export interface FileContent {
  readonly source: TreeSource;
  readonly inode: Inode;
}

export interface Copying {
  readonly target: Target;
  readonly rules: CopyRules;
  readonly onContent: OnContent;
}

/** Errors: PATH_UNKNOWN (a source matches nothing, or a file and a directory collide). */
export function copySource(copying: Copying, source: TreeSource, text: string): void {
  if (copying.rules.parents) copyWithParents(copying, source, text);
  else for (const match of matchSource(source, text)) copyMatch(copying, source, match);
}

/** Copies the file with exactly this name, which is no pattern: one from a heredoc or a download. */
export function copyFileNamed(copying: Copying, source: TreeSource, name: string): void {
  const found = findPath(source.tree, name);
  if (!found) throw noSuch(source, name, name);
  copyMatch(copying, source, { named: name, found });
}

/** Copies one path that a source matched. */
export function copyMatch(copying: Copying, source: TreeSource, { named, found }: GlobMatch): void {
  const { target, rules } = copying;
  const isDirectory = found.node.children !== undefined;
  if (!isDirectory && isExcluded(rules, named)) return;
  const { destination } = rules;
  makeDirectories(copying, /(?:^|\/)\.?$/.test(destination) ? destination : parentPath(destination));
  let at = target.resolve(normalised(destination));
  const standing = target.look(at);
  if (!isDirectory && standing?.type === 'directory') at = joinPath(at, baseName(named));
  makeDirectories(copying, isDirectory && !standing ? at : parentPath(at));
  const walk: Walk = { copying, source, written: new Map(), pending: [] };
  if (!isDirectory) copyFile(walk, found.node, at);
  else if (standing && standing.type !== 'directory') throw inTheWay('a directory', at);
  else copyChildren(walk, found.node, { from: '', to: at });
}

/** `--parents`: drops the part of the pattern before `/./`, and keeps the directories of the rest. */
function copyWithParents(copying: Copying, source: TreeSource, text: string): void {
  const pivot = text.indexOf('/./');
  const [base, rest] = pivot < 0 ? ['/', text] : [text.slice(0, pivot), text.slice(pivot + 3)];
  const pattern = normalised(rest);
  const include = compilePatterns([pattern]);
  let found = false;
  for (const match of matchSource(source, base === '' ? '/' : base)) {
    if (!match.found.node.children) continue;
    const at = makeDirectories(copying, normalised(copying.rules.destination));
    const walk: Walk = {
      copying,
      source,
      written: new Map(),
      pending: [],
      include: pattern === '' ? undefined : include,
    };
    copyChildren(walk, match.found.node, { from: '', to: at });
    found ||= pattern === '' || isThere(match.found, include);
  }
  if (!found) throw noSuch(source, text, hasWildcards(text) ? normalised(text) : normalised(`${base}/${rest}`));
}

function isThere(found: NodeAtPath, include: Patterns): boolean {
  const look = (node: TreeNode, path: string): boolean =>
    (path !== '' && include.matches(path)) ||
    [...(node.children ?? [])].some(([name, child]) => look(child, joinPath(path, name)));
  return look(found.node, '');
}

interface Walk {
  readonly copying: Copying;
  readonly source: TreeSource;
  /** Where inodes with several names were put: the further names become hard links. */
  readonly written: Map<Inode, string>;
  /** Parent directories that are put only if something in them is copied. */
  readonly pending: { readonly node: TreeNode; readonly to: string }[];
  readonly include?: Patterns | undefined;
}

interface Paths {
  /** Path relative to the source. */
  readonly from: string;
  readonly to: string;
}

function copyChildren(walk: Walk, node: TreeNode, { from, to }: Paths): void {
  for (const name of sortedNames(node.children ?? new Map())) {
    copyNode(walk, node.children?.get(name) as TreeNode, { from: joinPath(from, name), to: joinPath(to, name) });
  }
}

function copyNode(walk: Walk, node: TreeNode, paths: Paths): void {
  const { copying, include, pending } = walk;
  const { exclude } = copying.rules;
  const excluded = exclude?.matches(paths.from) === true;
  const wanted = !excluded && (!include || include.matches(paths.from));
  if (!node.children) {
    if (!wanted) return;
    makePending(walk);
    copyFile(walk, node, paths.to);
    return;
  }
  if (excluded && !exclude?.takeBack) return;
  if (wanted) {
    makePending(walk);
    putDirectory(walk, node, paths.to, true);
  } else pending.push({ node, to: paths.to });
  const depth = pending.length;
  copyChildren(walk, node, paths);
  if (!wanted && pending.length >= depth) pending.length = depth - 1;
}

function makePending(walk: Walk): void {
  for (const { node, to } of walk.pending.splice(0)) putDirectory(walk, node, to, false);
}

/** A directory that is copied sets owner, mode and times even if the directory exists. One that is only a parent of copied files does not. */
function putDirectory({ copying }: Walk, node: TreeNode, to: string, overwrites: boolean): void {
  const standing = copying.target.look(to);
  if (standing && standing.type !== 'directory') throw inTheWay('a directory', to);
  if (!standing || overwrites) copying.target.put(to, copiedHeader(copying.rules, node, to));
}

function copyFile({ copying, source, written }: Walk, node: TreeNode, to: string): void {
  const { target, rules, onContent } = copying;
  if (target.look(to)?.type === 'directory') throw inTheWay('a file', to);
  const header = copiedHeader(rules, node, to);
  const first = written.get(node.inode);
  if (first !== undefined && first !== to) {
    target.put(to, { ...header, type: 'hardlink', linkname: first, size: 0 });
    return;
  }
  if (node.inode.links > 1) written.set(node.inode, to);
  if (header.type === 'file') onContent(to, { source, inode: node.inode });
  target.put(to, header);
}

function copiedHeader({ owner, mode }: CopyRules, node: TreeNode, to: string): TarHeader {
  const header = headerOf(node);
  const { name, type, size, uid, gid, mtime, linkname, device, xattrs, sparse } = header as IndexedEntry;
  return {
    ...{ name, type, size, mtime, linkname, device, xattrs, uid, gid },
    ...owner,
    ...(sparse && { sparse }),
    name: to,
    mode: mode && type !== 'symlink' ? mode(header.mode, type === 'directory') : header.mode,
  };
}

function makeDirectories({ target, rules }: Copying, path: string): string {
  const { owner, directoryMode: mode, time } = rules;
  return target.makeDirectories(normalised(path), { mode, owner, time });
}

/** Whether a file that a source names directly is excluded, by its path or its name. */
function isExcluded({ exclude }: CopyRules, named: string): boolean {
  return exclude !== undefined && (exclude.matches(named) || exclude.matches(baseName(named)));
}

function inTheWay(what: string, path: string): ImagesError {
  const there = what === 'a file' ? 'a directory is' : 'something else is';
  return new ImagesError('PATH_UNKNOWN', `cannot put ${what} where ${there} [/${printableName(path)}]`, {
    hint: 'Remove it with RUN before, or copy to somewhere else.',
  });
}
