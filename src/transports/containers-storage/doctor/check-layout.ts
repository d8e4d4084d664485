// The rules about a store's own files: locks, modes, misplaced files. Pure.
import { addAll } from '../../../oci/add-all.ts';
import { printableName } from '../../../tar/names.ts';
import type { SoughtEntry } from '../../archive/seek-entries.ts';
import { type Problem, problem } from './problem.ts';
import type { StoreModel } from './store-model.ts';

const LOCKS = [
  'overlay-containers/containers.lock',
  'overlay-images/images.lock',
  'overlay-layers/layers.lock',
  'storage.lock',
];
const PRIVATE = ['overlay', 'overlay-layers', 'overlay-images', 'overlay-containers'];
/** Files that other programs leave in a store, and that readers ignore. */
const HARMLESS =
  /^(?:defaultNetworkBackend|libpod(?:\/.*)?|db\.sql|mounts|tmp|userns\.lock|cache(?:\/.*)?|overlay\/(?:staging(?:\/.*)?|tempdirs(?:\/.*)?|\.has-mount-program)|overlay-(?:layers|images|containers)\/volatile-[a-z]+\.json|overlay-containers\/containers\.json|overlay-layers\/mountpoints\.json)$/;

/** What is written down of containers, with owners of their own. */
const OF_CONTAINERS = /^overlay-containers\/[0-9a-f]{64}(?:\/|$)/;

export function checkLayout(model: StoreModel): readonly Problem[] {
  const { entries, duplicates, outside, root } = model;
  const problems: Problem[] = [];
  for (const path of LOCKS) if (!entries.has(path)) problems.push(problem('lock-files', `there is no ${path}`));
  for (const name of duplicates)
    problems.push(problem('duplicate-entry', `${printableName(name)} comes more than once`));
  for (const entry of outside) {
    const isAbove = entry.type === 'directory' && root.startsWith(entry.name.replace(/^(?:\.?\/)+/, ''));
    if (!isAbove) problems.push(problem('outside', `${printableName(entry.name)} is outside ${root || 'the store'}`));
  }
  for (const path of PRIVATE) addAll(problems, wrongMode(model, path, 0o700));
  addAll(problems, wrongMode(model, 'overlay/l', 0o755));
  for (const [path, entry] of entries) {
    if (/(?:^|\/)\.\.(?:\/|$)/.test(path)) problems.push(problem('outside', `${printableName(entry.name)} climbs out`));
    if (/^overlay\/[^/]+\/(?:diff|work)\/|^overlay\/[^/]+\/diff$/.test(path) || OF_CONTAINERS.test(path)) continue;
    if (entry.uid !== 0 || entry.gid !== 0) {
      problems.push(problem('modes', `${printableName(path)} belongs to ${entry.uid}:${entry.gid}, not to root`));
    }
    if (entry.type === 'file' && (entry.mode & 0o022) !== 0) {
      problems.push(problem('modes', `${printableName(path)} can be written by others [${entry.mode.toString(8)}]`));
    }
    if (!isKnown(path, entry)) problems.push(problem('orphan', `nothing is known of ${printableName(path)}`));
  }
  return problems;
}

function wrongMode({ entries }: StoreModel, path: string, mode: number): readonly Problem[] {
  const entry = entries.get(path);
  if (!entry) return [problem('modes', `there is no directory ${path}`)];
  if (entry.type === 'directory' && entry.mode === mode) return [];
  return [problem('modes', `${path} has mode ${entry.mode.toString(8)}, not ${mode.toString(8)}`)];
}

/** The files of layers and images are checked by their own rules. */
function isKnown(path: string, { type }: SoughtEntry): boolean {
  if (path === '' || [...PRIVATE, 'overlay/l', ...LOCKS].includes(path) || HARMLESS.test(path)) return true;
  if (path === 'overlay-layers/layers.json' || path === 'overlay-images/images.json') return type === 'file';
  return /^overlay\/l\/[^/]+$|^overlay\/[0-9a-f]{64}(?:\/|$)|^overlay-layers\/[0-9a-f]{64}\.tar-split\.gz$|^overlay-images\/[0-9a-f]{64}(?:\/[^/]+)?$/.test(
    path,
  );
}
