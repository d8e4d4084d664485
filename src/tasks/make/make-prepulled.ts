// `make`: writes images in a form that VMs boot with: a store as an archive, a store as a file system, or an archive to import.

import { type FileHandle, open } from 'node:fs/promises';
import type { OnCopyEvent } from '../../copy/events.ts';
import { readFileBytes } from '../../io/files/file-bytes.ts';
import { isFsError } from '../../io/files/fs-errors.ts';
import type { RewindableOutput } from '../../io/files/rewindable-output.ts';
import { arrayOf, checkArguments, FUNCTION, objectWith, TEXT } from '../../oci/arguments.ts';
import type { Digest } from '../../oci/digest.ts';
import { ImagesError, isImagesError } from '../../oci/errors.ts';
import type { Platform } from '../../oci/platform.ts';
import { CONTAINERD_ROOT } from '../../transports/containerd-store/store-places.ts';
import { SETTINGS } from '../arguments.ts';
import { callOptions, type Settings, type World } from '../settings.ts';
import { makeArchive } from './make-archive.ts';
import type { MakeItem } from './make-items.ts';
import type { MakeFormat } from './make-output.ts';
import {
  type ContainerdTarget,
  GRAPH_ROOT,
  makeStore,
  type OpenedImages,
  openImages,
  storeOutput,
} from './prepulled-store.ts';
import { withTemporaryFile } from './temporary-archive.ts';

export interface MakeOptions {
  readonly format: MakeFormat;
  /** With `-` the output goes to `send`. */
  readonly path: string;
  readonly send: (bytes: Uint8Array) => Promise<void>;
  /** Reuses layers from the existing file. */
  readonly update?: boolean;
  readonly userXattr?: boolean;
  /** Of a store of containerd: leaves out the blobs of layers, which containerd needs only to push and to export. */
  readonly noLayers?: boolean;
  /** containerd's root directory on the VM. Default: `/var/lib/containerd`. */
  readonly root?: string;
  readonly platform?: Platform;
  /** Finds the images, but writes nothing. */
  readonly dryRun?: boolean;
  readonly onEvent?: OnCopyEvent;
  readonly onWritten?: (bytes: number) => void;
}

export interface MadePrepulled {
  readonly dryRun: boolean;
  readonly images: readonly PrepulledImage[];
  readonly layers: number;
  /** The number of layers that were reused from the existing file. */
  readonly taken: number;
  /** Total size of distinct layers, as they are stored at their source. */
  readonly bytes: number;
}

export interface PrepulledImage {
  readonly names: readonly string[];
  readonly digest: string;
}

/**
 * Writes images in a form that VMs boot with: a store as a tar or a file system, or an archive to import. Errors: USAGE, those of the transports, of `writeStore`
 * and of the output.
 */
export async function makePrepulled(
  items: readonly MakeItem[],
  settings: Settings,
  options: MakeOptions,
): Promise<MadePrepulled> {
  checkArguments({
    items: [items, arrayOf(objectWith({ open: FUNCTION }))],
    settings: [settings, SETTINGS],
    options: [options, objectWith({ format: TEXT, path: TEXT, send: FUNCTION })],
  });
  const { format, update = false } = options;
  const isTar = format === 'tar' || format === 'containerd';
  if (update && (!isTar || options.path === '-')) {
    throw new ImagesError('USAGE', `only a tar in a file can be updated [${isTar ? '-' : format}]`, {
      hint: 'Leave out --update: everything is made anew.',
    });
  }
  await using images = await openImages(items, settings, options);
  if (options.dryRun) return { dryRun: true, ...summary(images, format), taken: 0 };
  if (format === 'oci-archive' || format === 'docker-archive' || format === 'k3s') {
    const digests =
      format === 'k3s'
        ? await (await import('./k3s-archive.ts')).k3sArchive(images.images, options, settings, options)
        : await viaFile(options, settings, (path) => makeArchive(images.images, { format, path }, settings, options));
    const made = images.images.map(({ names }, at) => ({ names, digest: digests[at] as Digest }));
    return { dryRun: false, ...summary(images, format), images: made, taken: 0 };
  }
  if (format === 'tar') {
    const { userXattr = false } = options;
    await using old = update
      ? await openOld(options.path, async (handle) => {
          const { storedLayers } = await import('../../transports/containers-storage/stored-layers.ts');
          return await storedLayers(handle, { graphRoot: GRAPH_ROOT, userXattr, ...callOptions(settings) });
        })
      : undefined;
    await using output = await storeOutput(options.path, options.send, settings);
    const target = { graphRoot: GRAPH_ROOT, ...(old && { stored: old.found }) };
    const made = await makeStore(images, output, settings, { ...options, ...target });
    return { dryRun: false, ...made, bytes: images.bytes };
  }
  if (format === 'containerd') {
    const target = containerdTarget(options);
    await using old = update
      ? await openOld(options.path, async (handle) => {
          const { storedSnapshots } = await import('../../transports/containerd-store/stored-snapshots.ts');
          return await storedSnapshots(handle, callOptions(settings));
        })
      : undefined;
    await using output = await storeOutput(options.path, options.send, settings);
    const made = await makeStore(images, output, settings, {
      ...options,
      ...target,
      ...(old && { stored: old.found }),
    });
    return { dryRun: false, ...made, bytes: images.bytes };
  }
  const { fileSystemOutput } = await import('./file-system-image.ts');
  const isContainerds = format === 'containerd-squashfs';
  return await viaFile(options, settings, async (path) => {
    await using output: RewindableOutput = await fileSystemOutput(path, isContainerds ? 'squashfs' : format, settings);
    const target = isContainerds ? { ...containerdTarget(options), shared: true } : { graphRoot: '' };
    const made = await makeStore(images, output, settings, { ...options, ...target });
    return { dryRun: false, ...made, bytes: images.bytes };
  });
}

/** Errors: USAGE if the root is none. */
function containerdTarget({ root = `/${CONTAINERD_ROOT}`, noLayers = false }: MakeOptions): ContainerdTarget {
  const path = /^\/((?:[\w@%+=:,.~-]+\/)*[\w@%+=:,.~-]+)\/*$/.exec(root)?.[1];
  if (path !== undefined && !path.split('/').some((part) => part === '.' || part === '..')) {
    return { containerdRoot: path, withLayers: !noLayers };
  }
  throw new ImagesError('USAGE', `not the path of a directory of containerd [${root}]`, {
    hint: `Give an absolute path, like /${CONTAINERD_ROOT}.`,
  });
}

function summary({ images, bytes }: OpenedImages, format: MakeFormat): Omit<MadePrepulled, 'dryRun' | 'taken'> {
  const layers = new Set(images.flatMap(({ image }) => image.layers.map(({ descriptor }) => descriptor.digest)));
  // Only these keep an index under the image's name; other formats keep the manifest.
  const pointsTo = format === 'oci-archive' || format.startsWith('containerd') ? 'root' : 'raw';
  const made = images.map(({ names, image }) => ({ names, digest: image[pointsTo].digest }));
  return { images: made, layers: layers.size, bytes };
}

/** For `-`, formats that need a file are written to a temporary one, which is then sent. */
async function viaFile<T>(
  { path, send }: MakeOptions,
  { temporaryDirectory }: World,
  work: (path: string) => Promise<T>,
): Promise<T> {
  if (path !== '-') return await work(path);
  return await withTemporaryFile(temporaryDirectory, async (file) => {
    const result = await work(file);
    const handle = await open(file);
    try {
      for await (const chunk of await readFileBytes(handle, {})) await send(chunk);
    } finally {
      await handle.close();
    }
    return result;
  });
}

interface Old<T> extends AsyncDisposable {
  readonly found: T;
}

/** What is in the existing file. Returns `undefined` if there is no file yet. Errors: TAR_INVALID. */
async function openOld<T>(path: string, find: (handle: FileHandle) => Promise<T>): Promise<Old<T> | undefined> {
  let handle: FileHandle;
  try {
    handle = await open(path);
  } catch (error) {
    if (isFsError(error, 'ENOENT')) return undefined;
    throw error;
  }
  const close = () => handle.close();
  try {
    return { found: await find(handle), [Symbol.asyncDispose]: close };
  } catch (error) {
    await close();
    if (!isImagesError(error, 'TAR_INVALID')) throw error;
    throw new ImagesError('TAR_INVALID', `${error.message} [${path}]`, {
      hint: 'What is there cannot be updated: leave out --update, and everything is made anew.',
      cause: error,
    });
  }
}
