// Compares two images file by file. Contents are compared only if the headers do not decide; each layer is read once.
import type { CallOptions } from '../io/streams/bytes.ts';
import type { TarHeader } from '../tar/entry.ts';
import { sortNames } from '../tar/names.ts';
import { compareTimes } from '../tar/time.ts';
import type { Layer } from './contract.ts';
import { hashFiles } from './hash-files.ts';
import { joinPath } from './path.ts';
import { headerOf, type RootTree, type TreeNode } from './tree.ts';

export type Aspect = 'type' | 'content' | 'mode' | 'owner' | 'time' | 'xattr' | 'link' | 'device';

export interface Difference {
  /** Without a leading `/`, and for directories without a trailing one. */
  readonly path: string;
  readonly change: 'added' | 'removed' | 'changed';
  /** What changed, in a fixed order. */
  readonly aspects: readonly Aspect[];
  readonly before?: TarHeader;
  readonly after?: TarHeader;
}

export interface TreeWithLayers {
  readonly tree: RootTree;
  /** The layers of which the tree was made. */
  readonly layers: readonly Layer[];
}

/** In walk order. Errors: TAR_INVALID, COMPRESSION_INVALID, those of the transports. */
export async function diffTrees(
  before: TreeWithLayers,
  after: TreeWithLayers,
  options: CallOptions = {},
): Promise<readonly Difference[]> {
  const pairs = [...pairNodes(before.tree.root, after.tree.root, '')];
  const doubtful = pairs.filter((pair) => contentInDoubt(pair, before, after));
  const [left, right] = await Promise.all([
    hashFiles(
      before.layers,
      doubtful.map((pair) => (pair.before as TreeNode).inode),
      options,
    ),
    hashFiles(
      after.layers,
      doubtful.map((pair) => (pair.after as TreeNode).inode),
      options,
    ),
  ]);
  return pairs.flatMap((pair): readonly Difference[] => {
    const { path } = pair;
    if (!pair.before && pair.after) return [{ path, change: 'added', aspects: [], after: headerOf(pair.after) }];
    if (!pair.after && pair.before) return [{ path, change: 'removed', aspects: [], before: headerOf(pair.before) }];
    if (!pair.before || !pair.after || same(pair, before, after)) return [];
    const [a, b] = [headerOf(pair.before), headerOf(pair.after)];
    const content = left.get(pair.before.inode) !== right.get(pair.after.inode);
    const aspects = aspectsOf(a, b, content);
    return aspects.length > 0 ? [{ path, change: 'changed', aspects, before: a, after: b }] : [];
  });
}

interface Pair {
  readonly path: string;
  readonly before: TreeNode | undefined;
  readonly after: TreeNode | undefined;
}

function* pairNodes(before: TreeNode | undefined, after: TreeNode | undefined, path: string): Generator<Pair> {
  yield { path, before, after };
  const names = new Set([...(before?.children?.keys() ?? []), ...(after?.children?.keys() ?? [])]);
  for (const name of sortNames([...names])) {
    yield* pairNodes(before?.children?.get(name), after?.children?.get(name), joinPath(path, name));
  }
}

/** Whether both are the same entry of the same blob. */
function same({ before, after }: Pair, left: TreeWithLayers, right: TreeWithLayers): boolean {
  const [a, b] = [before?.inode, after?.inode];
  if (!a?.entry || !b?.entry) return !a?.entry && !b?.entry;
  return (
    left.layers[a.layer]?.descriptor.digest === right.layers[b.layer]?.descriptor.digest &&
    a.entry.position.head === b.entry.position.head
  );
}

function contentInDoubt(pair: Pair, left: TreeWithLayers, right: TreeWithLayers): boolean {
  const [a, b] = [pair.before?.inode.entry, pair.after?.inode.entry];
  return a?.type === 'file' && b?.type === 'file' && a.size === b.size && a.size > 0 && !same(pair, left, right);
}

function aspectsOf(a: TarHeader, b: TarHeader, content: boolean): readonly Aspect[] {
  const found: Aspect[] = [];
  const note = (aspect: Aspect, differs: boolean) => differs && found.push(aspect);
  note('type', a.type !== b.type);
  note('content', a.type === b.type && (a.size !== b.size || content));
  note('link', a.type === b.type && a.linkname !== b.linkname);
  note('device', a.type === b.type && (a.device.major !== b.device.major || a.device.minor !== b.device.minor));
  note('mode', a.mode !== b.mode);
  note('owner', a.uid !== b.uid || a.gid !== b.gid);
  note('time', compareTimes(a.mtime, b.mtime) !== 0);
  note('xattr', !sameXattrs(a.xattrs, b.xattrs));
  return found;
}

function sameXattrs(a: TarHeader['xattrs'], b: TarHeader['xattrs']): boolean {
  if (a.size !== b.size) return false;
  for (const [name, value] of a) {
    const other = b.get(name);
    if (!other || Buffer.compare(value, other) !== 0) return false;
  }
  return true;
}
