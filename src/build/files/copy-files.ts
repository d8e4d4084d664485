// COPY, and ADD of what is no archive: which entries of a layer it makes of the sources. BuildKit decides what is merged, kept and replaced.
import { ImagesError } from '../../oci/errors.ts';
import type { IndexedEntry } from '../../rootfs/contract.ts';
import { baseName, joinPath, parentPath } from '../../rootfs/path.ts';
import { findPath, headerOf, type Inode, type PlacedNode, sortedNames, type TreeNode } from '../../rootfs/tree.ts';
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
  /** Absolute; with a `/` or `/.` at its end it is a directory. */
  readonly destination: string;
  readonly owner: Owner | undefined;
  readonly mode: ChangeMode | undefined;
  /** Of directories that are made on the way. */
  readonly directoryMode: number;
  readonly exclude: Patterns | undefined;
  /** `--parents`. */
  readonly parents: boolean;
  /** Of what has no time of its own. */
  readonly time: TarTime;
}

/** Where the content of a file that was put is to be read: said before the file is put. */
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

/** Errors: PATH_UNKNOWN for sources that mean nothing, and for what cannot be put where something else is. */
export function copySource(copying: Copying, source: TreeSource, text: string): void {
  if (copying.rules.parents) copyWithParents(copying, source, text);
  else for (const match of matchSource(source, text)) copyMatch(copying, source, match);
}

/** A file of this very name, which is no pattern: one that a heredoc or an address has given. */
export function copyFileNamed(copying: Copying, source: TreeSource, name: string): void {
  const placed = findPath(source.tree, name);
  if (!placed) throw noSuch(source, name, name);
  copyMatch(copying, source, { named: name, placed });
}

/** One path that a source means. */
export function copyMatch(copying: Copying, source: TreeSource, { named, placed }: GlobMatch): void {
  const { target, rules } = copying;
  const isDirectory = placed.node.children !== undefined;
  if (!isDirectory && isExcluded(rules, named)) return;
  const { destination } = rules;
  makeDirectories(copying, /(?:^|\/)\.?$/.test(destination) ? destination : parentPath(destination));
  let at = target.resolve(normalised(destination));
  const standing = target.look(at);
  if (!isDirectory && standing?.type === 'directory') at = joinPath(at, baseName(named));
  makeDirectories(copying, isDirectory && !standing ? at : parentPath(at));
  const walk: Walk = { copying, source, written: new Map(), pending: [] };
  if (!isDirectory) copyFile(walk, placed.node, at);
  else if (standing && standing.type !== 'directory') throw inTheWay('a directory', at);
  else copyChildren(walk, placed.node, { from: '', to: at });
}

/** The part of the pattern before `/./` stays behind; what the rest means keeps its directories. */
function copyWithParents(copying: Copying, source: TreeSource, text: string): void {
  const pivot = text.indexOf('/./');
  const [base, rest] = pivot < 0 ? ['/', text] : [text.slice(0, pivot), text.slice(pivot + 3)];
  const pattern = normalised(rest);
  const include = compilePatterns([pattern]);
  let found = false;
  for (const { placed } of matchSource(source, base === '' ? '/' : base)) {
    if (!placed.node.children) continue;
    const at = makeDirectories(copying, normalised(copying.rules.destination));
    const walk: Walk = {
      copying,
      source,
      written: new Map(),
      pending: [],
      include: pattern === '' ? undefined : include,
    };
    copyChildren(walk, placed.node, { from: '', to: at });
    found ||= pattern === '' || isThere(placed, include);
  }
  if (!found) throw noSuch(source, text, hasWildcards(text) ? normalised(text) : normalised(`${base}/${rest}`));
}

function isThere(placed: PlacedNode, include: Patterns): boolean {
  const look = (node: TreeNode, path: string): boolean =>
    (path !== '' && include.matches(path)) ||
    [...(node.children ?? [])].some(([name, child]) => look(child, joinPath(path, name)));
  return look(placed.node, '');
}

interface Walk {
  readonly copying: Copying;
  readonly source: TreeSource;
  /** Where inodes have been put: their other names become hard links. */
  readonly written: Map<Inode, string>;
  /** Directories that are made when something in them is wanted. */
  readonly pending: { readonly node: TreeNode; readonly to: string }[];
  readonly include?: Patterns | undefined;
}

interface Paths {
  /** Below the source. */
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

/** A directory below the source brings its own owner, mode and times, also where one is; one that only leads to what is wanted does not. */
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

/** A file that a source names itself is excluded by its path or its name. */
function isExcluded({ exclude }: CopyRules, named: string): boolean {
  return exclude !== undefined && (exclude.matches(named) || exclude.matches(baseName(named)));
}

function inTheWay(what: string, path: string): ImagesError {
  const there = what === 'a file' ? 'a directory is' : 'something else is';
  return new ImagesError('PATH_UNKNOWN', `cannot put ${what} where ${there} [/${printableName(path)}]`, {
    hint: 'Remove it with RUN before, or copy to somewhere else.',
  });
}
