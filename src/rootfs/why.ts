// What each layer did to one path: wrote, changed or deleted it.
import type { TarHeader } from '../tar/entry.ts';
import { applyLayers } from './apply-layers.ts';
import type { LayerIndex } from './contract.ts';
import { baseName, joinPath, parentPath } from './path.ts';
import { findPath, headerOf, type Inode, nodeAt, type RootTree } from './tree.ts';

export interface PathEvent {
  /** Counted from the base. */
  readonly layer: number;
  /** `rewritten`: the path got a new description (content, owner, mode or time). */
  readonly change: 'written' | 'rewritten' | 'deleted';
  /** The header after the change; for a deletion, the one before. */
  readonly header: TarHeader;
}

export interface PathStory {
  /** The resolved path, if symbolic links lead to its directory. */
  readonly path: string;
  readonly events: readonly PathEvent[];
}

/** Has no events if no layer ever had the path. `indexes` begin with the base. Errors: TAR_INVALID, PATH_UNKNOWN for links in a circle. */
export function storyOf(indexes: readonly LayerIndex[], wanted: string): PathStory {
  const final = applyLayers(indexes);
  const directory = findPath(final, parentPath(wanted), { follow: true });
  const path = directory ? joinPath(directory.path, baseName(wanted)) : wanted;
  const events: PathEvent[] = [];
  let before: State | undefined;
  const applied = (tree: RootTree, layer: number): void => {
    const now = stateOf(tree, path);
    if (now && !before) events.push({ layer, change: 'written', header: now.header });
    else if (now && before && changed(before, now)) events.push({ layer, change: 'rewritten', header: now.header });
    else if (!now && before) events.push({ layer, change: 'deleted', header: before.header });
    before = now;
  };
  applyLayers(indexes, { watcher: { applied } });
  return { path, events };
}

interface State {
  readonly inode: Inode;
  readonly header: TarHeader;
}

/** The current header: a later layer may describe the same directory anew. */
function stateOf(tree: RootTree, path: string): State | undefined {
  const node = nodeAt(tree, path);
  return node && { inode: node.inode, header: headerOf(node) };
}

function changed(before: State, now: State): boolean {
  return before.inode !== now.inode || before.header !== now.header;
}
