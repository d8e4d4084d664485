// Unpacks each layer once, to be mounted with others. A snapshot is complete or absent: it is unpacked elsewhere, then renamed. A lock makes this single-flight.
import { createHash } from 'node:crypto';
import { readFile, rename, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ownIdentity } from '../../io/concurrency/process-identity.ts';
import { isFsError } from '../../io/files/fs-errors.ts';
import type { CallOptions } from '../../io/streams/bytes.ts';
import type { Layer } from '../../rootfs/contract.ts';
import { rootArchive, type StageLayers } from './layer-archive.ts';
import { type RootUnpacking, removeTrees, staged, syncLater, unpackRootFileSystem } from './unpack.ts';

/** The names of the layers' snapshots, the base first. Missing ones are unpacked. Errors: those of layers, RUN_UNAVAILABLE, NO_SPACE. */
export async function provideSnapshots(
  stage: StageLayers,
  unpacking: RootUnpacking,
  options: CallOptions = {},
): Promise<readonly string[]> {
  const names: string[] = [];
  // Sequentially: unpacking already uses a second process beside the decompression, and the next layer may need no unpacking.
  for (const at of stage.layers.keys()) names.push(await provideSnapshot(stage, at, unpacking, options));
  return names;
}

async function provideSnapshot(
  stage: StageLayers,
  at: number,
  unpacking: RootUnpacking,
  options: CallOptions,
): Promise<string> {
  const { runnerDirectory, ids } = unpacking;
  const alone = nameOf([stage.layers[at] as Layer]);
  if (await isThere(unpacking, alone)) return alone;
  const onThese = nameOf(stage.layers.slice(0, at + 1));
  if (onThese !== alone && (await isThere(unpacking, onThese))) return onThese;
  const archive = rootArchive(stage, at, ids);
  const name = archive.dependsOnBelow ? onThese : alone;
  await using _ = await runnerDirectory.lock(`snapshot-${name}`, options);
  if (await isThere(unpacking, name)) return name;
  await staged(unpacking, async (directory) => {
    const bytes = await unpackRootFileSystem(archive, directory, unpacking, options);
    await writeFile(
      join(directory, 'about'),
      JSON.stringify({ bytes, boot: thisBoot(), devices: ONLY_HARMLESS_DEVICES }),
    );
    await makeRoom(name, unpacking);
    await rename(directory, runnerDirectory.path('snapshots', name));
  });
  syncLater(runnerDirectory.path('snapshots', name), unpacking);
  return name;
}

/** Moves a snapshot that may be incomplete out of the way. Nobody uses it any more. */
async function makeRoom(name: string, { runnerDirectory, namespaces }: RootUnpacking): Promise<void> {
  const old = runnerDirectory.path('snapshots', name);
  if (!(await stat(old).catch(() => undefined))) return;
  const trash = await runnerDirectory.claim('stage');
  await rename(old, trash);
  await removeTrees([trash], namespaces);
}

/** Derived from the diff ids of the layers; without a diff id, from the digest of the compressed blob. */
function nameOf(layers: readonly Layer[]): string {
  const digests = layers.map(({ diffId, descriptor }) => diffId ?? descriptor.digest);
  const [only] = digests;
  if (digests.length === 1 && only) return only.replace(':', '-');
  return `chain-${createHash('sha256').update(digests.join('\n')).digest('hex')}`;
}

/**
 * The value of `devices` in a snapshot's record: of the image's device files only those of device-numbers.ts were unpacked. A snapshot without it may give access
 * to the machine, and is not used where device files work.
 */
const ONLY_HARMLESS_DEVICES = 'harmless';

/** Whether a usable snapshot exists; marks it as used. One from an earlier boot may be incomplete on the disk, unless a sync has completed. */
async function isThere({ runnerDirectory, ids }: RootUnpacking, name: string): Promise<boolean> {
  const directory = runnerDirectory.path('snapshots', name);
  try {
    const about: unknown = JSON.parse(await readFile(join(directory, 'about'), 'utf8'));
    const { boot, devices } =
      typeof about === 'object' && about !== null ? (about as { boot?: unknown; devices?: unknown }) : {};
    if (!ids.inUserNamespace && devices !== ONLY_HARMLESS_DEVICES) return false;
    if (boot !== thisBoot()) await stat(join(directory, 'synced'));
    const now = new Date();
    await utimes(join(directory, 'about'), now, now);
    return true;
  } catch (error) {
    if (error instanceof SyntaxError || isFsError(error, 'ENOENT')) return false;
    throw error;
  }
}

function thisBoot(): string {
  return ownIdentity().split('.')[2] ?? '';
}
