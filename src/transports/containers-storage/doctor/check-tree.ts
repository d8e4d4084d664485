// Compares the tree of a layer with its archive. The archive is reassembled with tar-split, verified, converted to overlay form, and compared entry by entry.
import type { CallOptions } from '../../../io/streams/bytes.ts';
import { isDigest } from '../../../oci/digest.ts';
import { isImagesError } from '../../../oci/errors.ts';
import type { Layer } from '../../../rootfs/contract.ts';
import { indexLayer } from '../../../rootfs/layer-index.ts';
import { NotPlain, type OverlayFacts, overlayForm } from '../../../rootfs/overlay-form.ts';
import { LONG_AGO } from '../../../rootfs/overlay-header.ts';
import type { TarHeader } from '../../../tar/entry.ts';
import { printableName } from '../../../tar/names.ts';
import { readTar } from '../../../tar/reader.ts';
import { compareTimes, type TarTime } from '../../../tar/time.ts';
import type { SoughtEntry } from '../../archive/seek-entries.ts';
import { type Problem, problem } from './problem.ts';
import type { StoreModel } from './store-model.ts';
import type { FoundLayer } from './stored-records.ts';

export interface TreeToCheck {
  readonly found: FoundLayer;
  readonly layer: Layer;
  readonly below: readonly Layer[];
  readonly model: StoreModel;
  /** The store was in a file system whose times are in whole seconds. */
  readonly wholeSeconds: boolean;
}

/** The rules that can be checked with the tree alone. Pure. */
export function checkAttributes(id: string, model: StoreModel): readonly Problem[] {
  const problems: Problem[] = [];
  const prefix = `overlay/${id}/diff`;
  for (const [path, entry] of model.tree(id)) {
    const name = printableName(path.slice(prefix.length));
    if (/(?:^|\/)\.wh\.[^/]*$/.test(path))
      problems.push(problem('whiteout-files', `a whiteout is left as a file [${name}]`));
    if (entry.type === 'hardlink' && !isWithin(entry, model, prefix)) {
      problems.push(
        problem('hard-link', `a hard link leads out of the tree [${name} → ${printableName(entry.linkname)}]`),
      );
    }
    for (const [key, value] of entry.xattrs) {
      if (key.startsWith('user.containers.')) problems.push(problem('containers-xattr', `${key} [${name}]`));
      const isOpaque =
        /^(?:trusted|user)\.overlay\.opaque$/.test(key) &&
        entry.type === 'directory' &&
        value.length === 1 &&
        value[0] === 0x79;
      if (/^(?:trusted|user)\.overlay\./.test(key) && !isOpaque)
        problems.push(problem('overlay-xattr', `${key} [${name}]`));
    }
  }
  return problems;
}

function isWithin({ linkname }: SoughtEntry, { root, entries }: StoreModel, prefix: string): boolean {
  const name = linkname.replace(/^(?:\.?\/)+/, '');
  const path = name.slice(root.length);
  return (
    name.startsWith(root) && path.startsWith(`${prefix}/`) && !/(?:^|\/)\.\.(?:\/|$)/.test(path) && entries.has(path)
  );
}

/** Reads the whole layer. Errors: only those of reading the file. */
export async function checkTree(tree: TreeToCheck, options: CallOptions): Promise<readonly Problem[]> {
  const { found, layer } = tree;
  const problems: Problem[] = [];
  try {
    const facts = await compared(tree, problems, options);
    const { diffDigest, diffSize } = found;
    if (diffDigest !== undefined && facts.diffId !== diffDigest)
      problems.push(problem('tar-split', `its archive has the digest ${facts.diffId}, layers.json says ${diffDigest}`));
    if (diffSize !== undefined && facts.size !== diffSize)
      problems.push(problem('diff-size', `its archive has ${facts.size} bytes, layers.json says ${diffSize}`));
  } catch (error) {
    if (!isImagesError(error) || error.code === 'ABORTED') throw error;
    problems.push(problem('tar-split', error.message.replace(` in layer ${layer.descriptor.digest}`, '')));
  }
  return problems;
}

async function compared(tree: TreeToCheck, problems: Problem[], options: CallOptions): Promise<OverlayFacts> {
  try {
    return await compare(tree, problems, options);
  } catch (error) {
    if (!(error instanceof NotPlain)) throw error;
    problems.length = 0;
    return await compare(tree, problems, { ...options, index: await indexLayer(tree.layer, options) });
  }
}

async function compare(
  { found, layer, below, model, wholeSeconds }: TreeToCheck,
  problems: Problem[],
  options: Omit<Parameters<typeof overlayForm>[1], 'split' | 'directory' | 'below'>,
): Promise<OverlayFacts> {
  const prefix = `overlay/${found.id}/diff`;
  const userXattr = model.tree(found.id).some(([, { xattrs }]) => xattrs.has('user.overlay.opaque'));
  const form = overlayForm(layer, { ...options, directory: prefix, below, userXattr });
  let facts: OverlayFacts | undefined;
  async function* written(): AsyncGenerator<Uint8Array> {
    let step = await form.next();
    for (; !step.done; step = await form.next()) yield* step.value;
    facts = step.value;
  }
  const seen = new Set<string>();
  for await (const expected of readTar(written())) {
    const path = expected.name.replace(/\/+$/, '');
    seen.add(path);
    const entry = linked(path, model);
    const name = printableName(path.slice(prefix.length) || '/');
    if (!entry) problems.push(problem('diff-tree', `${name} is not there`));
    else if (expected.type === 'hardlink') {
      if (linked(expected.linkname, model) !== entry) problems.push(problem('diff-tree', `${name} has another target`));
    } else {
      const isRoot = path === prefix && isDriversRoot(entry);
      for (const what of isRoot ? [] : entryDifferences(entry, expected, wholeSeconds)) {
        problems.push(problem('diff-tree', `${name} has ${what}`));
      }
    }
  }
  for (const [path] of model.tree(found.id)) {
    if (!seen.has(path))
      problems.push(problem('diff-tree', `${printableName(path.slice(prefix.length))} is in no archive`));
  }
  if (!facts) throw new Error('a layer was compared without being read');
  return facts;
}

/** The attributes that the driver gives the root of every layer, whatever the archive says of it. */
function isDriversRoot({ type, mode, uid, gid }: SoughtEntry): boolean {
  return type === 'directory' && mode === 0o555 && uid === 0 && gid === 0;
}

/** Follows hard links: which name of a file comes first, and which are links to it, does not matter. */
function linked(path: string, { entries, root }: StoreModel): SoughtEntry | undefined {
  let entry = entries.get(path);
  for (let links = 0; entry?.type === 'hardlink' && links < 64; links++) {
    entry = entries.get(entry.linkname.replace(/^(?:\.?\/)+/, '').slice(root.length));
  }
  return entry;
}

/** What an entry of a tree has otherwise than it should. */
export function entryDifferences(entry: SoughtEntry, expected: TarHeader, wholeSeconds: boolean): readonly string[] {
  if (entry.type !== expected.type) return ['another type'];
  // A directory that no archive describes gets its attributes from the tool that unpacks it. The attributes of a whiteout are not defined.
  const isImplied = compareTimes(expected.mtime, LONG_AGO) === 0 && expected.type === 'directory';
  const isWhiteout = entry.type === 'character' && entry.device.major === 0 && entry.device.minor === 0;
  const pairs: readonly (readonly [string, boolean])[] = [
    ['another mode', entry.type === 'symlink' || isWhiteout || entry.mode === expected.mode],
    ['another owner', isWhiteout || (entry.uid === expected.uid && entry.gid === expected.gid)],
    ['another size', entry.size === expected.size],
    ['another target', entry.linkname === expected.linkname],
    ['another time', isWhiteout || sameTime(entry.mtime, expected.mtime, wholeSeconds)],
    [
      'another device number',
      entry.device.major === expected.device.major && entry.device.minor === expected.device.minor,
    ],
    ['other attributes', sameAttributes(entry.xattrs, expected.xattrs)],
  ];
  const wrong = pairs.filter(([, same]) => !same).map(([what]) => what);
  return isImplied ? wrong.filter((what) => what === 'other attributes') : wrong;
}

/** Some file systems have no times before 1970, and no fractions. */
function sameTime(entry: TarTime, expected: TarTime, wholeSeconds: boolean): boolean {
  if (!wholeSeconds) return compareTimes(entry, expected) === 0;
  return entry.seconds === Math.max(0, expected.seconds);
}

function sameAttributes(a: TarHeader['xattrs'], b: TarHeader['xattrs']): boolean {
  if (a.size !== b.size) return false;
  return [...a].every(([key, value]) => {
    const other = b.get(key);
    return other !== undefined && Buffer.compare(value, other) === 0;
  });
}

/** The digest of a layer in its record, if it is valid. */
export function knownDigest({ diffDigest }: FoundLayer): Layer['diffId'] {
  return isDigest(diffDigest) ? diffDigest : undefined;
}
