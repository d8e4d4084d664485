// The rules about the records of snapshots in both databases. Pure.
import type { ContainerdArchive } from '../containerd-archive.ts';
import { COMMITTED, parentKey } from '../containerd-records.ts';
import type { StoredSnapshot } from '../read-containerd-records.ts';
import { SNAPSHOTS } from '../store-places.ts';
import { type ContainerdProblem, containerdProblem } from './containerd-problem.ts';

export interface CheckedSnapshots {
  readonly store: readonly ContainerdProblem[];
  readonly byId: ReadonlyMap<number, readonly ContainerdProblem[]>;
}

export function checkSnapshots(archive: ContainerdArchive): CheckedSnapshots {
  const { meta, snapshotter } = archive;
  const store: ContainerdProblem[] = [];
  const byId = new Map<number, ContainerdProblem[]>();
  const byName = new Map(snapshotter.snapshots.map((one) => [one.name, one]));
  const add = (id: number | undefined, text: string) => {
    const one = containerdProblem('snapshot', text);
    const known = id === undefined ? undefined : byId.get(id);
    if (id === undefined) store.push(one);
    else if (known) known.push(one);
    else byId.set(id, [one]);
  };
  const all = new Map(
    meta.snapshots.map((one) => [`${one.namespace} ${one.chain}`, { ...one, children: new Set(one.children) }]),
  );
  const named = new Set<string>();
  for (const { namespace, chain, name, parent, children } of meta.snapshots) {
    named.add(name);
    const stored = byName.get(name);
    const id = stored?.id;
    if (!stored) {
      add(undefined, `${chain} is in meta.db as ${name}, which metadata.db does not have`);
      continue;
    }
    const below = parent === undefined ? undefined : all.get(`${namespace} ${parent}`);
    if (parent !== undefined && !below) add(id, `its parent ${parent} is not in meta.db`);
    if (below && !below.children.has(chain))
      add(id, `its parent does not name it: ${parent} could be removed below it`);
    if (stored.parent !== below?.name)
      add(id, `its parents are ${below?.name ?? 'none'} and ${stored.parent ?? 'none'}`);
    for (const child of children) {
      if (all.get(`${namespace} ${child}`)?.parent !== chain)
        add(id, `it names a child that has another parent [${child}]`);
    }
  }
  for (const one of snapshotter.snapshots) checkStored(archive, one, { byName, named, add });
  const ids = new Set(snapshotter.snapshots.map(({ id }) => id));
  for (const path of archive.entries.keys()) {
    const id = path.startsWith(`${SNAPSHOTS}/`) ? path.slice(SNAPSHOTS.length + 1) : '';
    if (/^\d+$/.test(id) && !ids.has(Number(id))) {
      store.push(containerdProblem('orphan', `the directory of snapshot ${id} is in no record`));
    }
  }
  return { store, byId };
}

interface Context {
  readonly byName: ReadonlyMap<string, StoredSnapshot>;
  readonly named: ReadonlySet<string>;
  readonly add: (id: number | undefined, text: string) => void;
}

function checkStored(archive: ContainerdArchive, one: StoredSnapshot, { byName, named, add }: Context): void {
  const { id, name, kind, parent } = one;
  const { sequence, parents } = archive.snapshotter;
  if (id === undefined || id < 1) {
    add(undefined, `${name} has no number`);
    return;
  }
  if (!named.has(name)) add(id, `meta.db does not have ${name}: it would be removed`);
  if (id > sequence) add(id, `new snapshots would get its number: the last one is said to be ${sequence}`);
  // What is not committed belongs to a container.
  if (kind !== COMMITTED && named.has(name)) add(id, `it is of kind ${kind ?? 'none'}`);
  const below = parent === undefined ? undefined : byName.get(parent);
  if (parent !== undefined) {
    const key = Buffer.from(parentKey(below?.id ?? 0, id)).toString('hex');
    if (parents.get(key) !== name) add(id, `it is not listed as a child of ${parent}`);
  }
  const isThere = archive
    .tree(id)
    .some(([path, { type }]) => path.startsWith('fs') && (path !== 'fs' || type === 'directory'));
  if (!isThere) add(id, `its directory ${archive.directory(id)}/fs is not there`);
}
