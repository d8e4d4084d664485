// Checks a store in a tar archive: every digest, and every rule that real tools enforce or depend on. Reports all problems, and the parts that have none.
import type { FileHandle } from 'node:fs/promises';
import type { CallOptions } from '../../../io/streams/bytes.ts';
import { oneChunk } from '../../../io/streams/one-chunk.ts';
import { ImagesError } from '../../../oci/errors.ts';
import type { Layer } from '../../../rootfs/contract.ts';
import { joinTarSplit, readTarSplit } from '../../../rootfs/tar-split.ts';
import type { StoreFiles } from '../store-files.ts';
import { openTar, tarFilesIn } from '../tar-files.ts';
import { checkImages } from './check-images.ts';
import { checkLayers } from './check-layers.ts';
import { checkLayout } from './check-layout.ts';
import { checkAttributes, checkTree, knownDigest } from './check-tree.ts';
import type { Problem } from './problem.ts';
import { readStoreModel, type StoreModel } from './store-model.ts';
import {
  type FoundLayer,
  foundImages,
  foundLayers,
  LAYERS_FILE,
  layersOfContainers,
  VOLATILE_FILE,
} from './stored-records.ts';

/** Limit of a record in bytes. Lists of many images and layers are far smaller. */
const MAX_RECORD = 256 << 20;

export interface Examined {
  /** `store`, `image docker.io/library/alpine:3.20`, `layer ID`. */
  readonly what: string;
  readonly problems: readonly Problem[];
}

export interface ExamineOptions extends CallOptions {
  /** The directory for the uncompressed form of a compressed archive. */
  readonly temporaryDirectory: string;
  /** The archive was made from a file system whose times are in whole seconds. */
  readonly wholeSeconds?: boolean;
  readonly onPart?: (part: Examined) => void;
}

/** The parts in order: the store, its layers, its images. Errors: FILE_UNREADABLE; TAR_INVALID if the archive holds no store. */
export async function examineStore(path: string, options: ExamineOptions): Promise<readonly Examined[]> {
  const handle = await openTar(path, options.temporaryDirectory);
  try {
    return await examine(
      { handle, path, files: await tarFilesIn(handle, path), model: await readStoreModel(handle, options) },
      options,
    );
  } finally {
    await handle.close();
  }
}

interface Archive {
  readonly handle: FileHandle;
  readonly path: string;
  readonly files: LayerFiles;
  readonly model: StoreModel;
}

type LayerFiles = Pick<StoreFiles, 'read' | 'layerContent'>;

async function examine(archive: Archive, options: ExamineOptions): Promise<readonly Examined[]> {
  const { files, model } = archive;
  const parts: Examined[] = [];
  const note = (what: string, problems: readonly Problem[]): void => {
    parts.push({ what, problems });
    options.onPart?.({ what, problems });
  };
  const read = (name: string) => readFile(archive, name);
  const text = async (name: string) => (await read(name))?.toString('latin1');
  const records: Problem[] = [];
  const layers = await readLayers(read, records);
  const images = foundImages(await read('overlay-images/images.json'), records);
  const ofContainers = layersOfContainers(layers, images);
  const ofLayers = await checkLayers(layers, { model, read: text, ofContainers });
  const ofImages = await checkImages(images, { layers, model, read });
  note('store', [...records, ...checkLayout(model), ...(ofLayers.get('') ?? []), ...(ofImages.get('') ?? [])]);
  const opened = new Map<string, Layer>();
  for (const found of layers) {
    options.signal?.throwIfAborted();
    if (ofContainers.has(found)) {
      note(`layer ${found.id}`, ofLayers.get(found.id) ?? []);
      continue;
    }
    const layer = layerOf(files, found);
    const below = lowerOf(found, layers).flatMap((id) => opened.get(id) ?? []);
    opened.set(found.id, layer);
    const attributes = checkAttributes(found.id, model);
    const isThere = model.entries.has(`overlay-layers/${found.id}.tar-split.gz`);
    const tree = isThere
      ? await checkTree({ found, layer, below, model, wholeSeconds: options.wholeSeconds ?? false }, options)
      : [];
    note(`layer ${found.id}`, [...(ofLayers.get(found.id) ?? []), ...attributes, ...tree]);
  }
  for (const { id, names } of images) note(`image ${names[0] ?? id}`, ofImages.get(id) ?? []);
  return parts;
}

async function readLayers(
  read: (name: string) => Promise<Buffer | undefined>,
  records: Problem[],
): Promise<readonly FoundLayer[]> {
  const kept = foundLayers(await read(LAYERS_FILE), records);
  const passing = await read(VOLATILE_FILE);
  return passing ? [...kept, ...foundLayers(passing, records, VOLATILE_FILE)] : kept;
}

/** Reads a small file. */
async function readFile({ handle, model }: Archive, name: string): Promise<Buffer | undefined> {
  const entry = model.entries.get(name);
  if (entry?.type !== 'file') return undefined;
  if (entry.size > MAX_RECORD)
    throw new ImagesError('TAR_INVALID', `a record is too large [${name}: ${entry.size} bytes]`);
  const { buffer, bytesRead } = await handle.read(Buffer.alloc(entry.size), 0, entry.size, entry.at);
  return buffer.subarray(0, bytesRead);
}

function layerOf(files: LayerFiles, found: FoundLayer): Layer {
  const diffId = knownDigest(found);
  const digest = diffId ?? `sha256:${found.id}`;
  return {
    descriptor: {
      mediaType: 'application/vnd.oci.image.layer.v1.tar',
      digest: digest as NonNullable<typeof diffId>,
      size: found.diffSize ?? 0,
    },
    ...(diffId && { diffId }),
    async open() {
      const split = await files.read(`overlay-layers/${found.id}.tar-split.gz`);
      const { open: content } = await files.layerContent(found.id);
      return joinTarSplit(readTarSplit(oneChunk(split ?? new Uint8Array())), content);
    },
  };
}

/** The ids of the layers below, the base first. */
function lowerOf({ parent }: FoundLayer, layers: readonly FoundLayer[]): readonly string[] {
  const ids: string[] = [];
  for (let at = parent; at !== undefined && !ids.includes(at); ) {
    ids.unshift(at);
    at = layers.find(({ id }) => id === at)?.parent;
  }
  return ids;
}
