// Reads a file that `make` has written: lists its images, and checks that it is correct.

import { open } from 'node:fs/promises';
import { checkArguments, FUNCTION, TEXT } from '../../oci/arguments.ts';
import { ImagesError } from '../../oci/errors.ts';
import { examineStore } from '../../transports/containers-storage/doctor/check-store.ts';
import { layersOf, readImages, readLayers } from '../../transports/containers-storage/store-records.ts';
import { tarFiles } from '../../transports/containers-storage/tar-files.ts';
import { SETTINGS } from '../arguments.ts';
import { type TaskCall, transportOptions, type World } from '../settings.ts';
import { archiveOfFileSystem, isFileSystem, type ReadableArchive } from './file-system-image.ts';
import type { ListedImage, PrepulledPart } from './prepulled-parts.ts';
import { checkArchive, isImageArchive, listArchive } from './read-archive.ts';

/** Sorted by name. Errors: FILE_UNREADABLE, TAR_INVALID, MANIFEST_INVALID; UNSUPPORTED if a required program is missing. */
export async function listPrepulled(path: string, settings: World & TaskCall): Promise<readonly ListedImage[]> {
  checkArguments({ path: [path, TEXT], settings: [settings, SETTINGS] });
  return (await imagesIn(path, settings)).toSorted((a, b) => ((a.names[0] ?? '') < (b.names[0] ?? '') ? -1 : 1));
}

/** The files of a store that a listing needs. */
const LISTS = ['overlay-images/images.json', 'overlay-layers/layers.json'];

async function imagesIn(path: string, settings: World & TaskCall): Promise<readonly ListedImage[]> {
  await using archive = await archiveOf(path, settings, LISTS);
  if (await isImageArchive(archive.path, settings)) return await listArchive(archive.path, settings);
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
  return await examineStore(archive.path, {
    ...transportOptions(settings),
    wholeSeconds: archive.path !== path,
    onPart,
  });
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
