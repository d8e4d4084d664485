// The rules about where files are, and about the databases as files. Pure.
import { printableName } from '../../../tar/names.ts';
import type { ContainerdArchive } from '../containerd-archive.ts';
import { META_DB, SNAPSHOTS_DB } from '../store-places.ts';
import { type ContainerdProblem, containerdProblem } from './containerd-problem.ts';

/** The version of containerd 1.6 and 1.7, and that of 2.x. */
const VERSIONS: readonly (number | undefined)[] = [3, 4];
/** Directories that containerd makes, and what it keeps in them while it runs. */
const KNOWN =
  /^$|^io\.containerd\.content\.v1\.content(?:\/(?:ingest(?:\/.*)?|blobs(?:\/sha(?:256|512)(?:\/[0-9a-f]+)?)?))?$|^io\.containerd\.metadata\.v1\.bolt(?:\/meta\.db)?$|^io\.containerd\.snapshotter\.v1\.overlayfs(?:\/(?:metadata\.db|snapshots(?:\/\d+(?:\/.*)?)?))?$|^(?:opt|tmpmounts|io\.containerd\.(?!content|metadata|snapshotter\.v1\.overlayfs)[^/]+)(?:\/.*)?$/s;

export function checkPlaces({
  entries,
  meta,
  outside,
  duplicates,
  root,
}: ContainerdArchive): readonly ContainerdProblem[] {
  const problems: ContainerdProblem[] = [];
  const add = (rule: ContainerdProblem['rule'], text: string) => problems.push(containerdProblem(rule, text));
  if (!VERSIONS.includes(meta.version)) add('version', `meta.db has version ${meta.version ?? 'none'}`);
  for (const path of [META_DB, SNAPSHOTS_DB]) {
    const { uid = 0, mode = 0 } = entries.get(path) ?? {};
    if (uid !== 0 || (mode & 0o600) !== 0o600 || (mode & 0o022) !== 0) {
      add('modes', `${path} has mode ${mode.toString(8)} and owner ${uid}`);
    }
  }
  for (const name of duplicates) add('duplicate-entry', `${printableName(name)} comes more than once`);
  for (const { name, type } of outside) {
    const isAbove = type === 'directory' && root.startsWith(name.replace(/^(?:\.?\/)+/, ''));
    if (!isAbove) add('outside', `${printableName(name)} is outside ${root}`);
  }
  for (const path of entries.keys()) {
    if (/(?:^|\/)\.\.(?:\/|$)/.test(path)) add('outside', `${printableName(path)} climbs out`);
    else if (!KNOWN.test(path)) add('orphan', `nothing is known of ${printableName(path)}`);
  }
  return problems;
}
