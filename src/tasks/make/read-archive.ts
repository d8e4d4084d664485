// Reads an archive of images, as `make` writes them for runtimes: lists the images, and checks that they are complete and correct.
import { digestHex } from '../../oci/digest.ts';
import { isImagesError } from '../../oci/errors.ts';
import { machinePlatform } from '../../oci/machine-platform.ts';
import { decodeManifest } from '../../oci/manifest.ts';
import { formatReference, fullReference, tryParseReference } from '../../oci/reference.ts';
import { inArchive } from '../../rootfs/damaged.ts';
import { type ArchiveFile, openArchive } from '../../transports/archive/archive-file.ts';
import { seekEntries } from '../../transports/archive/seek-entries.ts';
import { openTar } from '../../transports/containers-storage/tar-files.ts';
import type { ContainedImage, ImageSource } from '../../transports/contract.ts';
import { isSavedName, readDockerArchive } from '../../transports/docker-archive/docker-archive-source.ts';
import { MANIFEST_FILE } from '../../transports/docker-archive/docker-manifest.ts';
import { listLayoutImages } from '../../transports/layout/list-images.ts';
import { chooseImage } from '../../transports/readable-image.ts';
import { type CheckedPart, checkSource, type LayerResults } from '../look/check-image.ts';
import { callOptions, type TaskCall, transportOptions, type World } from '../settings.ts';
import type { ListedImage, PrepulledPart } from './prepulled-parts.ts';

/** Names in the root of image archives, including those of all versions of `docker save`; stores do not have them. */
const OF_IMAGES =
  /^(?:blobs\/|oci-layout$|index\.json$|manifest\.json$|repositories$|[0-9a-f]{64}(?:\/|\.json$|\.tar$))/;

/** Decides by the first file. If the result is false, it may be a store. Errors: FILE_UNREADABLE, TAR_INVALID, COMPRESSION_INVALID, NO_SPACE. */
export async function isImageArchive(path: string, { temporaryDirectory }: World): Promise<boolean> {
  const handle = await openTar(path, temporaryDirectory);
  try {
    for await (const { name, type } of seekEntries(handle)) {
      const clean = name.replace(/^(?:\.?\/)+/, '');
      if (OF_IMAGES.test(clean) || (type === 'file' && isSavedName(clean))) return true;
      if (type !== 'directory') return false;
    }
    return false;
  } catch (error) {
    throw inArchive(error, path);
  } finally {
    await handle.close();
  }
}

/** Errors: LOCATION_INVALID, MANIFEST_INVALID, those of the archive. */
export async function listArchive(path: string, settings: World & TaskCall): Promise<readonly ListedImage[]> {
  await using archive = await openImages(path, settings);
  const call = callOptions(settings);
  return await Promise.all(
    archive.images.map(async ({ names, open }): Promise<ListedImage> => {
      const source = open();
      const root = await source.root(call);
      const manifest = decodeManifest(await chooseImage(source, root, { ...call, machine: machinePlatform() }));
      if (manifest.kind !== 'image') throw new Error('an image was chosen that is none');
      const size = manifest.layers.reduce((sum, layer) => sum + layer.size, 0);
      const id = digestHex(manifest.config.digest);
      return { id, names, digest: root.digest, layers: manifest.layers.length, size };
    }),
  );
}

/** Errors: those of the archive, if the images cannot be found at all. */
export async function checkArchive(
  path: string,
  settings: World & TaskCall,
  onPart: (part: PrepulledPart) => void,
): Promise<readonly PrepulledPart[]> {
  await using archive = await openImages(path, settings);
  const parts: PrepulledPart[] = [];
  const layers: LayerResults = new Map();
  for (const [at, { names, open }] of archive.images.entries()) {
    const note = (part: CheckedPart): void => {
      const examined = examinedPart(part, names[0] ?? `@${at}`);
      parts.push(examined);
      onPart(examined);
    };
    try {
      await checkSource({ source: open() }, settings, { layers, onPart: note });
    } catch (error) {
      if (!isImagesError(error) || error.code === 'ABORTED') throw error;
      note({ what: 'manifest', problems: [error.message], notes: [] });
    }
  }
  return parts;
}

function examinedPart({ what, digest, problems, notes }: CheckedPart, image: string): PrepulledPart {
  const rule = what.replace(/ \d+$/, '').replaceAll(' ', '-');
  return {
    what: `${image}: ${what}${digest ? ` ${digest}` : ''}`,
    problems: problems.map((text) => ({ rule, text })),
    ...(notes.length > 0 && { notes }),
  };
}

interface ArchivedImage {
  readonly names: readonly string[];
  /** Errors: MANIFEST_INVALID if the lists in the archive contradict each other. */
  open(): ImageSource;
}

interface ArchivedImages extends AsyncDisposable {
  readonly images: readonly ArchivedImage[];
}

/** An image with several names is returned once. */
async function openImages(path: string, settings: World & TaskCall): Promise<ArchivedImages> {
  const archive = await openArchive(path, { ...transportOptions(settings), label: path });
  try {
    const images = new Map<string, ArchivedImage & { readonly names: string[] }>();
    for (const [at, listed] of (await listedIn(archive)).entries()) {
      const digest = await digestOf(listed, settings);
      const image = images.get(digest ?? `@${at}`) ?? { names: [], open: listed.source };
      images.set(digest ?? `@${at}`, image);
      for (const name of listed.names.map(fullName)) if (!image.names.includes(name)) image.names.push(name);
    }
    return { images: [...images.values()], [Symbol.asyncDispose]: archive[Symbol.asyncDispose] };
  } catch (error) {
    await archive[Symbol.asyncDispose]();
    throw error;
  }
}

/** Returns `undefined` if the manifest cannot be read. */
async function digestOf(listed: ContainedImage, settings: TaskCall): Promise<string | undefined> {
  try {
    return (await listed.source().root(callOptions(settings))).digest;
  } catch (error) {
    if (isImagesError(error) && error.code !== 'ABORTED') return undefined;
    throw error;
  }
}

async function listedIn(archive: ArchiveFile): Promise<readonly ContainedImage[]> {
  if (archive.find('index.json') && !archive.find(MANIFEST_FILE)) return await listLayoutImages(archive);
  return (await readDockerArchive(archive)).images;
}

/** A bare tag, as layouts have it, is returned unchanged. */
function fullName(text: string): string {
  const name = /[:/]/.test(text) ? tryParseReference(text) : undefined;
  return name ? formatReference(fullReference(name)) : text;
}
