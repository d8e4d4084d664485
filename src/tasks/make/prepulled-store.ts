// `make`: opens the images for all formats, and writes those that are a store: as an archive, or as a file system.
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
import type { StoredSnapshots } from '../../transports/containerd-store/write-containerd.ts';
import type { StoredLayers } from '../../transports/containers-storage/write-layers.ts';
import { type WrittenImage, type WrittenStore, writeStore } from '../../transports/containers-storage/write-store.ts';
import type { ImageSource } from '../../transports/contract.ts';
import { type ReadableImage, readImage } from '../../transports/readable-image.ts';
import { rememberingSource, sourceMemory } from '../../transports/remembering-source.ts';
import { callOptions, type TaskCall, type TaskEvents, transportOptions, type World } from '../settings.ts';
import type { OpenedSource } from '../transfer/open-source.ts';
import { watchedLayers } from '../transfer/watched-layers.ts';
import { type MakeItem, pulledName } from './make-items.ts';

/** The store's path in the archive, which is unpacked at the root of a VM. */
export const GRAPH_ROOT = 'var/lib/containers/storage';

export interface StoreOptions {
  /** Selects an image of an index. Absent: the machine's platform, or else the first one present. */
  readonly platform?: Platform;
  readonly userXattr?: boolean;
  readonly onEvent?: OnCopyEvent;
  /** Called with the number of bytes written. Their buffers can then be freed. */
  readonly onWritten?: (bytes: number) => void;
}

/** Disposing closes the sources of the images. */
export interface OpenedImages extends AsyncDisposable {
  readonly images: readonly StoreEntry[];
  /** Total size of distinct layers. */
  readonly bytes: number;
}

export interface StoreEntry {
  readonly text: string;
  readonly name?: FullReference;
  readonly names: readonly string[];
  readonly image: ReadableImage;
  /** The image's source. Manifests and configs have been read already. */
  readonly source: ImageSource;
}

export interface MadeStore {
  readonly images: readonly WrittenImage[];
  readonly layers: number;
  readonly taken: number;
}

/** The number of sources that are queried in parallel. */
const AT_A_TIME = 6;

/** Reads only manifests and configs. Errors: those of the transports, PLATFORM_UNKNOWN. */
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
    // A single image (no index) is accepted for any requested platform, with a warning, as mkimage does with base images.
    platformsNamed: false,
    checked: new Set(),
    config: async () => image.configBytes,
    note: (line) => settings.onNote?.(`WARNING: ${line}`),
  });
  const called = name ?? (own && pulledName(own));
  return { text, ...(called && { name: called }), names: called ? [formatReference(called)] : [], image, source };
}

/** The image's descriptor in its index. */
function childOf({ root, raw }: ReadableImage): { readonly child?: Descriptor } {
  const manifest = decodeManifest(root);
  if (manifest.kind === 'image') return {};
  const child = manifest.manifests.find(({ digest }) => digest === raw.digest) ?? manifestDescriptor(raw);
  return { child };
}

/** Total size of distinct layers. */
function bytesOf(images: readonly StoreEntry[]): number {
  const sizes = new Map(images.flatMap(({ image }) => image.layers.map(({ descriptor: d }) => [d.digest, d.size])));
  return [...sizes.values()].reduce((sum, size) => sum + size, 0);
}

export interface StoreTarget {
  /** The store's path in the archive; empty if the store is the root. */
  readonly graphRoot: string;
  readonly stored?: StoredLayers;
}

/** A store of containerd. */
export interface ContainerdTarget {
  /** containerd's root directory, without leading slash. */
  readonly containerdRoot: string;
  readonly withLayers: boolean;
  readonly shared?: boolean;
  readonly stored?: StoredSnapshots;
}

/** Errors: those of `writeStore` and `writeContainerd`. */
export async function makeStore(
  { images, bytes }: OpenedImages,
  output: RewindableOutput,
  settings: World & TaskCall,
  { userXattr = false, onEvent, onWritten, ...target }: StoreOptions & (StoreTarget | ContainerdTarget),
): Promise<MadeStore> {
  const digests = new Set<Digest>(
    images.flatMap(({ image }) => image.layers.map(({ descriptor }) => descriptor.digest)),
  );
  onEvent?.({ type: 'plan', images: images.length, blobs: digests.size, bytes, alreadyThere: 0 });
  for (const { text } of images) onEvent?.({ type: 'image', image: text });
  const watched = images.map((one) => ({
    ...one,
    image: { ...one.image, layers: watchedLayers(one.image.layers, onEvent) },
  }));
  const counted = onWritten ? countedOutput(output, onWritten) : output;
  const made = await written(watched, counted, target, {
    ...transportOptions(settings),
    userXattr,
    onLayer: (digest) => onEvent?.({ type: 'blob-done', digest }),
  });
  for (const { text, image } of images) onEvent?.({ type: 'image-done', image: text, digest: image.raw.digest });
  return made;
}

async function written(
  images: readonly StoreEntry[],
  output: RewindableOutput,
  target: StoreTarget | ContainerdTarget,
  options: Omit<Parameters<typeof writeStore>[2], 'graphRoot' | 'stored'>,
): Promise<WrittenStore> {
  if ('graphRoot' in target) {
    const { graphRoot, stored } = target;
    return await writeStore(images, output, { ...options, graphRoot, ...(stored && { stored }) });
  }
  const { writeContainerd } = await import('../../transports/containerd-store/write-containerd.ts');
  const { containerdRoot: root, withLayers, shared = false, stored } = target;
  return await writeContainerd(images, output, { ...options, root, withLayers, shared, ...(stored && { stored }) });
}

/** Opens a file, or `send` for `-`. A device or a named pipe is written in place. */
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
