// What is in a file that `make` has made: its images, and whether all of it is right.
import { open } from 'node:fs/promises';
import { ImagesError } from '../../oci/errors.ts';
import { examineStore } from '../../transports/containers-storage/doctor/check-store.ts';
import { layersOf, readImages, readLayers } from '../../transports/containers-storage/store-records.ts';
import { tarFiles } from '../../transports/containers-storage/tar-files.ts';
import { type TaskCall, transportOptions, type World } from '../settings.ts';
import { archiveOfFileSystem, isFileSystem, type ReadableArchive } from './file-system-image.ts';
import type { ListedImage, PrepulledPart } from './prepulled-parts.ts';
import { checkArchive, isImageArchive, listArchive } from './read-archive.ts';

/** In the order of names. Errors: FILE_UNREADABLE, TAR_INVALID, MANIFEST_INVALID; UNSUPPORTED where a program is lacking. */
export async function listPrepulled(path: string, settings: World & TaskCall): Promise<readonly ListedImage[]> {
  return (await imagesIn(path, settings)).toSorted((a, b) => ((a.names[0] ?? '') < (b.names[0] ?? '') ? -1 : 1));
}

/** What a list needs of a store. */
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

/** Whether all of what `make` has written is right: each image, each layer, and the file as a whole. Errors: as `listPrepulled`. */
export async function checkPrepulled(
  path: string,
  settings: World & TaskCall,
  onPart: (part: PrepulledPart) => void,
): Promise<readonly PrepulledPart[]> {
  await using archive = await archiveOf(path, settings);
  if (await isImageArchive(archive.path, settings)) return await checkArchive(archive.path, settings, onPart);
  return await examineStore(archive.path, {
    ...transportOptions(settings),
    wholeSeconds: archive.path !== path,
    onPart,
  });
}

/** The archive itself, or that of the file system in the file. */
async function archiveOf(
  path: string,
  settings: World & TaskCall,
  files?: readonly string[],
): Promise<ReadableArchive> {
  const kind = isFileSystem(await firstBytes(path));
  if (kind) return await archiveOfFileSystem(path, kind, settings, files);
  return { path, async [Symbol.asyncDispose]() {} };
}

/** As many as tell a file system. */
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
