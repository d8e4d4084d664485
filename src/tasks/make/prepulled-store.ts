// `make`: images as something that VMs boot with: the archive of a store, a file system of one, an archive to be imported.
import { open } from 'node:fs/promises';
import { checkAgreement } from '../../copy/check-images.ts';
import type { OnCopyEvent } from '../../copy/events.ts';
import { createLimiter } from '../../io/concurrency/limiter.ts';
import { translatingFsErrors } from '../../io/files/fs-errors.ts';
import { fileOutput, pipeOutput, type RewindableOutput } from '../../io/files/rewindable-output.ts';
import { targetAt } from '../../io/files/special-file.ts';
import type { Descriptor } from '../../oci/descriptor.ts';
import type { Digest } from '../../oci/digest.ts';
import { machinePlatform } from '../../oci/machine-platform.ts';
import { decodeManifest, manifestDescriptor } from '../../oci/manifest.ts';
import type { Platform } from '../../oci/platform.ts';
import { type FullReference, formatReference } from '../../oci/reference.ts';
import { type StoredLayers, type WrittenImage, writeStore } from '../../transports/containers-storage/write-store.ts';
import type { ImageSource } from '../../transports/contract.ts';
import { type ReadableImage, readImage } from '../../transports/readable-image.ts';
import { rememberingSource, sourceMemory } from '../../transports/remembering-source.ts';
import { callOptions, type TaskCall, type TaskEvents, transportOptions, type World } from '../settings.ts';
import type { OpenedSource } from '../transfer/open-source.ts';
import { watchedLayers } from '../transfer/watched-layers.ts';
import { type MakeItem, pulledName } from './make-items.ts';

/** Where the archive is unpacked: `/` of a VM. */
export const GRAPH_ROOT = 'var/lib/containers/storage';

export interface StoreOptions {
  /** Of an index: only this; else the machine's, or the first that is there. */
  readonly platform?: Platform;
  readonly userXattr?: boolean;
  readonly onEvent?: OnCopyEvent;
  /** So many bytes have been written, and what they were in can be freed. */
  readonly onWritten?: (bytes: number) => void;
}

/** Disposing closes what the images are read from. */
export interface OpenedImages extends AsyncDisposable {
  readonly images: readonly StoreEntry[];
  /** Bytes of distinct layers. */
  readonly bytes: number;
}

export interface StoreEntry {
  readonly text: string;
  readonly name?: FullReference;
  readonly names: readonly string[];
  readonly image: ReadableImage;
  /** What the image was read from; manifests and configs are not asked for again. */
  readonly source: ImageSource;
}

export interface MadeStore {
  readonly images: readonly WrittenImage[];
  readonly layers: number;
  readonly taken: number;
}

/** Sources that are asked at a time. */
const AT_A_TIME = 6;

/** Manifests and configs of all, and nothing more. Errors: those of the places, PLATFORM_UNKNOWN. */
export async function openImages(
  items: readonly MakeItem[],
  settings: TaskCall & TaskEvents,
  { platform, onEvent }: StoreOptions,
): Promise<OpenedImages> {
  const opened: OpenedSource[] = [];
  const memory = sourceMemory();
  const close = async (): Promise<void> => {
    for (const source of opened.splice(0)) await source[Symbol.asyncDispose]();
  };
  try {
    const images = await createLimiter(AT_A_TIME).map(
      items,
      async (item) => {
        const source = await item.open({ ...(onEvent && { onEvent }) });
        opened.push(source);
        return await namedImage(
          item,
          { ...source, source: rememberingSource(source.source, memory) },
          settings,
          platform,
        );
      },
      settings.signal,
    );
    return { images, bytes: bytesOf(images), [Symbol.asyncDispose]: close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function namedImage(
  { text, name }: MakeItem,
  { source, name: own, indexOf }: OpenedSource,
  settings: TaskCall & TaskEvents,
  platform: Platform | undefined,
): Promise<StoreEntry> {
  const image = await readImage(source, {
    ...callOptions(settings),
    ...(platform && { platform, anySingle: true }),
    ...(indexOf && { indexOf }),
    machine: machinePlatform(),
  });
  await checkAgreement([{ ...image, ...childOf(image) }], {
    image: text,
    platforms: [platform ?? machinePlatform()],
    // An image without an index is for what it is for, whatever is asked: it is taken and said, as mkimage does with bases.
    platformsNamed: false,
    checked: new Set(),
    config: async () => image.configBytes,
    note: (line) => settings.onNote?.(`WARNING: ${line}`),
  });
  const called = name ?? (own && pulledName(own));
  return { text, ...(called && { name: called }), names: called ? [formatReference(called)] : [], image, source };
}

/** What its index says of it. */
function childOf({ root, raw }: ReadableImage): { readonly child?: Descriptor } {
  const manifest = decodeManifest(root);
  if (manifest.kind === 'image') return {};
  const child = manifest.manifests.find(({ digest }) => digest === raw.digest) ?? manifestDescriptor(raw);
  return { child };
}

/** Of distinct layers. */
function bytesOf(images: readonly StoreEntry[]): number {
  const sizes = new Map(images.flatMap(({ image }) => image.layers.map(({ descriptor: d }) => [d.digest, d.size])));
  return [...sizes.values()].reduce((sum, size) => sum + size, 0);
}

export interface StoreTarget {
  /** Empty where the store is the root itself. */
  readonly graphRoot: string;
  readonly stored?: StoredLayers;
}

/** Errors: those of `writeStore`. */
export async function makeStore(
  { images, bytes }: OpenedImages,
  output: RewindableOutput,
  settings: World & TaskCall,
  { graphRoot, stored, userXattr = false, onEvent, onWritten }: StoreOptions & StoreTarget,
): Promise<MadeStore> {
  const digests = new Set<Digest>(
    images.flatMap(({ image }) => image.layers.map(({ descriptor }) => descriptor.digest)),
  );
  onEvent?.({ type: 'plan', images: images.length, blobs: digests.size, bytes, held: 0 });
  for (const { text } of images) onEvent?.({ type: 'image', image: text });
  const watched = images.map((one) => ({
    ...one,
    image: { ...one.image, layers: watchedLayers(one.image.layers, onEvent) },
  }));
  const made = await writeStore(watched, onWritten ? countedOutput(output, onWritten) : output, {
    ...transportOptions(settings),
    graphRoot,
    userXattr,
    ...(stored && { stored }),
    onLayer: (digest) => onEvent?.({ type: 'blob-done', digest }),
  });
  for (const { text, image } of images) onEvent?.({ type: 'image-done', image: text, digest: image.raw.digest });
  return made;
}

/** A file, or with `-` what `send` takes. What is no regular file (a device, a named pipe) is written to as it is. */
export async function storeOutput(
  path: string,
  send: (bytes: Uint8Array) => Promise<void>,
  { temporaryDirectory }: World,
): Promise<RewindableOutput> {
  if (path === '-') return pipeOutput(send, temporaryDirectory);
  const target = await translatingFsErrors(path, () => targetAt(path));
  return target === 'file' ? await fileOutput(path) : await specialOutput(path, temporaryDirectory);
}

async function specialOutput(path: string, temporaryDirectory: string): Promise<RewindableOutput> {
  const handle = await translatingFsErrors(path, () => open(path, 'w'));
  const output = pipeOutput((bytes) => translatingFsErrors(path, () => handle.writeFile(bytes)), temporaryDirectory);
  return {
    ...output,
    async [Symbol.asyncDispose]() {
      await output[Symbol.asyncDispose]();
      await handle.close();
    },
  };
}

function countedOutput(output: RewindableOutput, count: (bytes: number) => void): RewindableOutput {
  return {
    ...output,
    async write(chunks) {
      await output.write(chunks);
      for (const { length } of chunks) count(length);
    },
  };
}
