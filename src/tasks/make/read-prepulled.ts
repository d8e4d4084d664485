// Reads a file that `make` has written: lists its images, and checks that it is correct.

import { open } from 'node:fs/promises';
import { checkArguments, FUNCTION, TEXT } from '../../oci/arguments.ts';
import { ImagesError } from '../../oci/errors.ts';
import { inArchive } from '../../rootfs/damaged.ts';
import type { ContainerdArchive } from '../../transports/containerd-store/containerd-archive.ts';
import { examineStore } from '../../transports/containers-storage/doctor/check-store.ts';
import { layersOf, readImages, readLayers } from '../../transports/containers-storage/store-records.ts';
import { openTar, tarFiles } from '../../transports/containers-storage/tar-files.ts';
import { SETTINGS } from '../arguments.ts';
import { callOptions, type TaskCall, transportOptions, type World } from '../settings.ts';
import { archiveOfFileSystem, isFileSystem, type ReadableArchive } from './file-system-image.ts';
import type { ListedImage, PrepulledPart } from './prepulled-parts.ts';
import { checkArchive, isImageArchive, listArchive } from './read-archive.ts';

/** Sorted by name. Errors: FILE_UNREADABLE, TAR_INVALID, MANIFEST_INVALID; UNSUPPORTED if a required program is missing. */
export async function listPrepulled(path: string, settings: World & TaskCall): Promise<readonly ListedImage[]> {
  checkArguments({ path: [path, TEXT], settings: [settings, SETTINGS] });
  return (await imagesIn(path, settings)).toSorted((a, b) => ((a.names[0] ?? '') < (b.names[0] ?? '') ? -1 : 1));
}

/** The files of a store that a listing needs. */
const LISTS = ['overlay-images/images.json', 'overlay-layers/layers.json', 'containerd.tar'];

async function imagesIn(path: string, settings: World & TaskCall): Promise<readonly ListedImage[]> {
  await using archive = await archiveOf(path, settings, LISTS);
  if (await isImageArchive(archive.path, settings)) return await listArchive(archive.path, settings);
  await using containerd = await containerdIn(archive.path, settings);
  if (containerd) {
    const { imagesInContainerd } = await import('../../transports/containerd-store/list-containerd.ts');
    const found = await imagesInContainerd(containerd.archive);
    return found.map(({ id, names, digest, chain, size }) => ({ id, names, digest, layers: chain.length, size }));
  }
  await using files = await tarFiles(archive.path, settings.temporaryDirectory);
  const layers = await readLayers(files);
  return (await readImages(files)).map((image): ListedImage => {
    const chain = layersOf(image, layers);
    const { id, names, digest } = image;
    const size = chain.reduce((sum, layer) => sum + (layer.size ?? 0), 0);
    return { id, names, ...(digest && { digest }), layers: chain.length, size };
  });
}

/** Checks a file that `make` has written: each image, each layer, and the file as a whole. Errors: as `listPrepulled`. */
export async function checkPrepulled(
  path: string,
  settings: World & TaskCall,
  onPart: (part: PrepulledPart) => void,
): Promise<readonly PrepulledPart[]> {
  checkArguments({ path: [path, TEXT], settings: [settings, SETTINGS], onPart: [onPart, FUNCTION] });
  await using archive = await archiveOf(path, settings);
  if (await isImageArchive(archive.path, settings)) return await checkArchive(archive.path, settings, onPart);
  const wholeSeconds = archive.path !== path;
  await using containerd = await containerdIn(archive.path, settings);
  if (containerd) {
    const { examineContainerd } = await import('../../transports/containerd-store/doctor/check-containerd.ts');
    return await examineContainerd(containerd.archive, { ...callOptions(settings), wholeSeconds, onPart });
  }
  return await examineStore(archive.path, {
    ...transportOptions(settings),
    wholeSeconds,
    onPart,
  });
}

interface OpenedContainerd extends AsyncDisposable {
  readonly archive: ContainerdArchive;
}

/** Returns `undefined` if the archive holds something else. Errors: FILE_UNREADABLE, TAR_INVALID. */
async function containerdIn(path: string, settings: World & TaskCall): Promise<OpenedContainerd | undefined> {
  const { holdsContainerd, readContainerdArchive } = await import(
    '../../transports/containerd-store/containerd-archive.ts'
  );
  const handle = await openTar(path, settings.temporaryDirectory);
  const close = () => handle.close();
  try {
    if (await holdsContainerd(handle, callOptions(settings))) {
      const archive = await readContainerdArchive(handle, callOptions(settings));
      return { archive, [Symbol.asyncDispose]: close };
    }
  } catch (error) {
    await close();
    throw inArchive(error, path);
  }
  await close();
  return undefined;
}

/** The file itself, or an archive made from the file system in it. */
async function archiveOf(
  path: string,
  settings: World & TaskCall,
  files?: readonly string[],
): Promise<ReadableArchive> {
  const kind = isFileSystem(await firstBytes(path));
  if (kind) return await archiveOfFileSystem(path, kind, settings, files);
  return { path, async [Symbol.asyncDispose]() {} };
}

/** Reads enough bytes to recognise a file system. */
async function firstBytes(path: string): Promise<Uint8Array> {
  try {
    const handle = await open(path);
    try {
      const { buffer, bytesRead } = await handle.read(Buffer.alloc(2048), 0, 2048, 0);
      return buffer.subarray(0, bytesRead);
    } finally {
      await handle.close();
    }
  } catch (cause) {
    throw new ImagesError('FILE_UNREADABLE', `cannot read ${path}`, { cause });
  }
}
