// A Docker daemon as a sink of images: one `docker load`, which is streamed while the layers arrive. Layers that the daemon has are neither fetched nor sent.
import { peekCompression } from '../../io/compression/compression.ts';
import { singleFlight } from '../../io/concurrency/single-flight.ts';
import { readFileBytes } from '../../io/files/file-bytes.ts';
import { spooled } from '../../io/files/temporary-file.ts';
import type { Bytes, CallOptions, OpenContent } from '../../io/streams/bytes.ts';
import { oneChunk } from '../../io/streams/one-chunk.ts';
import { verified } from '../../io/streams/verify.ts';
import { decodeConfig } from '../../oci/config.ts';
import type { Descriptor } from '../../oci/descriptor.ts';
import type { Digest } from '../../oci/digest.ts';
import { isLayerType } from '../../oci/media-types.ts';
import { formatReference, fullReference, type Reference } from '../../oci/reference.ts';
import type { SmallFile } from '../archive/archive-format.ts';
import { layoutSmallFiles, memoryManifests } from '../archive/memory-manifests.ts';
import type { ImageSink } from '../contract.ts';
import {
  admitDockerImage,
  dockerEntry,
  dockerManifestFiles,
  type NamedManifest,
  requireDockerImage,
} from '../docker-archive/docker-manifest.ts';
import { unpackLayer, withPlainLayers } from '../docker-archive/plain-layers.ts';
import { layoutEntries } from '../layout/layout-entry.ts';
import { blobPath } from '../layout/layout-files.ts';
import type { DockerDaemon } from './daemon.ts';
import { type ChainId, chainIds, knownLayers } from './known-layers.ts';
import { type LoadStream, loadStream } from './load-stream.ts';

export interface DaemonSinkOptions extends CallOptions {
  /** The directory for layers that wait for their turn, or are decompressed. */
  readonly temporaryDirectory: string;
}

/** The API version of Docker 23.0, the first that reads zstd. */
const ZSTD_SINCE = 1.42;

/** The images exist when the sink is finished. Disposing earlier loads nothing. The daemon stays open. */
export function dockerDaemonSink(daemon: DockerDaemon, options: DaemonSinkOptions): ImageSink {
  const { temporaryDirectory } = options;
  /** Blobs that are in the archive already. */
  const sent = new Set<Digest>();
  /** For each image name, the blobs that the daemon does not need. In another image the same layer may be on another base, and is then needed. */
  const unneeded = new Map<string, ReadonlySet<Digest>>();
  const isThere = (name: Reference, { digest }: Descriptor): boolean =>
    sent.has(digest) || (unneeded.get(formatReference(name))?.has(digest) ?? false);
  const plain = new Map<Digest, Descriptor>();
  const manifests = memoryManifests({
    has: (digest) => sent.has(digest) || [...unneeded.values()].some((blobs) => blobs.has(digest)),
  });
  const puts = singleFlight<Digest>();
  /** Images by full name: each name has one image. */
  const named = new Map<string, NamedManifest>();
  const entries = layoutEntries([]);
  let stream: LoadStream | undefined;
  let known: Promise<ReadonlySet<ChainId>> | undefined;

  const archive = (): LoadStream => {
    stream ??= loadStream(daemon, options.signal && { signal: options.signal });
    return stream;
  };

  const readsZstd = async (): Promise<boolean> => {
    const { api, server } = await daemon.ping();
    const [major, minor] = api.split('.').map(Number);
    return server.startsWith('Docker/') && (major ?? 0) + (minor ?? 0) / 100 >= ZSTD_SINCE;
  };

  /** The daemon reads one file at a time. Others are received into temporary files meanwhile. */
  const send = async (blob: Descriptor, open: () => Promise<Bytes>): Promise<void> => {
    const path = blobPath(blob.digest);
    if (!stream?.busy) {
      await archive().add(path, blob.size, open);
      return;
    }
    const file = await spooled(await open(), temporaryDirectory);
    try {
      await archive().add(path, blob.size, () => readFileBytes(file, {}));
    } finally {
      await file.close();
    }
  };

  const putLayer = async (blob: Descriptor, open: OpenContent): Promise<void> => {
    const { compression, body } = await peekCompression(verified(await open(0), blob));
    if (compression === undefined || compression === 'gzip' || (compression === 'zstd' && (await readsZstd()))) {
      await send(blob, async () => body);
      return;
    }
    await using layer = await unpackLayer(blob, body, temporaryDirectory);
    await archive().add(blobPath(layer.descriptor.digest), layer.descriptor.size, () => layer.open(0));
    plain.set(blob.digest, layer.descriptor);
  };

  const put = async (blob: Descriptor, open: OpenContent): Promise<void> => {
    if (isLayerType(blob.mediaType)) await putLayer(blob, open);
    else await send(blob, async () => verified(await open(0), blob));
    sent.add(blob.digest);
  };

  const label = `docker-daemon:${daemon.address}`;
  return {
    label,
    wants: { layers: 'as-is', indexes: 'none', order: 'planned', takesAgain: false },
    admit: (_, parts) => admitDockerImage(parts, label),
    async expect(name, { manifest, config }, call) {
      known ??= knownLayers(daemon, call);
      const chains = await known;
      if (chains.size === 0) return;
      const chain = chainIds(decodeConfig(await config()).diffIds);
      if (chain.length !== manifest.layers.length) return;
      const lacking = new Set(
        manifest.layers.filter((_layer, at) => !chains.has(chain[at] as ChainId)).map(({ digest }) => digest),
      );
      const having = manifest.layers.map(({ digest }) => digest).filter((digest) => !lacking.has(digest));
      unneeded.set(formatReference(name), new Set(having));
    },
    missing: async (name, blobs) =>
      new Map(blobs.filter((blob) => !isThere(name, blob)).map(({ digest }) => [digest, 0])),
    missingManifests: async (_, wanted) =>
      new Set(wanted.filter(({ digest }) => !manifests.has(digest)).map(({ digest }) => digest)),
    async putBlob(name, blob, open, call) {
      await puts.run(
        blob.digest,
        () => isThere(name, blob),
        () => put(blob, open),
        call?.signal,
      );
    },
    mountBlob: async (name, blob) => isThere(name, blob),
    async putManifest(_, manifest) {
      requireDockerImage(manifest);
      manifests.add(manifest);
    },
    async commit(name, root) {
      requireDockerImage(root);
      manifests.add(root);
      const manifest = withPlainLayers(root, plain);
      manifests.put(manifest);
      entries.put(dockerEntry(manifest, name));
      named.set(formatReference(fullReference(name)), { names: [name], manifest });
    },
    async finish() {
      if (named.size === 0) return;
      let files: readonly SmallFile[] = dockerManifestFiles([...named.values()]);
      // In containerd's image store an image keeps its own manifest.
      if (await daemon.usesContainerdStore()) {
        const { raws } = manifests.below([...named.values()].map(({ manifest }) => manifest.digest));
        files = [...layoutSmallFiles(raws, entries.list()), ...files];
      }
      for (const { path, bytes } of files) await archive().add(path, bytes.length, async () => oneChunk(bytes));
      const loading = stream;
      stream = undefined;
      await loading?.finish();
    },
    async [Symbol.asyncDispose]() {
      await stream?.abort();
      await puts.settled();
    },
  };
}
