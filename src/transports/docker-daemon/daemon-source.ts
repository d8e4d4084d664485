// An image of a Docker daemon as a source. Exporting an image is slow, so it is done at most once, and not at all if the image is remembered and its layers are
// not needed.
import type { CallOptions } from '../../io/streams/bytes.ts';
import { oneChunk } from '../../io/streams/one-chunk.ts';
import { readSmallBlob } from '../../io/streams/small-blob.ts';
import { decodeConfig } from '../../oci/config.ts';
import type { Digest } from '../../oci/digest.ts';
import { ImagesError, isImagesError } from '../../oci/errors.ts';
import { decodeManifest, MAX_MANIFEST_SIZE, type RawManifest, rawManifest, verifyBytes } from '../../oci/manifest.ts';
import { formatReference, type Reference, tryParseReference } from '../../oci/reference.ts';
import { compressedSource } from '../compressing/compressed-source.ts';
import type { LayerSpool } from '../compressing/contract.ts';
import type { ImageSource } from '../contract.ts';
import { readDockerArchive } from '../docker-archive/docker-archive-source.ts';
import type { DaemonImageDetails, DockerDaemon } from './daemon.ts';
import { saveArchive } from './save-archive.ts';

export type DaemonImageName = { readonly reference: Reference } | { readonly id: string };

export interface DaemonSourceOptions extends CallOptions {
  /** The directory for the files that the daemon sends. */
  readonly temporaryDirectory: string;
  /** Present for a destination that serves blobs to others: layers are compressed as they arrive. */
  readonly spool?: LayerSpool;
}

export interface DaemonSource extends ImageSource {
  /** The daemon's id: the digest of the config, or in containerd's image store that of the manifest or index. */
  readonly id: Digest;
  readonly details: DaemonImageDetails;
  readonly names: readonly Reference[];
}

/** Returns `undefined` if the daemon has no such image. Asks nothing else yet. Disposing leaves daemon and spool open. Errors: the daemon's. */
export async function findDaemonImage(
  daemon: DockerDaemon,
  wanted: DaemonImageName,
  options: DaemonSourceOptions,
): Promise<DaemonSource | undefined> {
  const name = 'reference' in wanted ? formatReference(wanted.reference) : wanted.id;
  const details = await daemon.inspectImage(name, options.signal && { signal: options.signal });
  return details && daemonSource(daemon, details, { ...options, label: `docker-daemon:${name}` });
}

/** Like `findDaemonImage`, but a missing image is an error. Errors: MANIFEST_UNKNOWN. */
export async function openDaemonImage(
  daemon: DockerDaemon,
  wanted: DaemonImageName,
  options: DaemonSourceOptions,
): Promise<DaemonSource> {
  const found = await findDaemonImage(daemon, wanted, options);
  if (found) return found;
  const name = 'reference' in wanted ? formatReference(wanted.reference) : wanted.id;
  throw new ImagesError('MANIFEST_UNKNOWN', `the Docker daemon has no such image [${name}]`, {
    hint: 'See `docker images`; `docker pull` fetches one, docker://NAME asks its registry.',
  });
}

function daemonSource(
  daemon: DockerDaemon,
  details: DaemonImageDetails,
  { temporaryDirectory, spool, label }: DaemonSourceOptions & { readonly label: string },
): DaemonSource {
  const { id } = details;
  let opening: Promise<ImageSource> | undefined;
  let rooting: Promise<Root> | undefined;

  const opened = (call?: CallOptions): Promise<ImageSource> => {
    opening ??= openSaved(daemon, details, { temporaryDirectory, ...(spool && { spool }), label, ...call });
    opening.catch(() => {
      opening = undefined;
    });
    return opening;
  };

  const readRoot = async (call?: CallOptions): Promise<Root> => {
    const remembered = spool && (await recall(spool, details));
    if (remembered) return remembered;
    const source = await opened(call);
    const manifest = await source.root(call);
    if (spool) await remember(spool, { id, source, manifest });
    return { manifest };
  };

  const root = (call?: CallOptions): Promise<Root> => {
    rooting ??= readRoot(call);
    rooting.catch(() => {
      rooting = undefined;
    });
    return rooting;
  };

  return {
    id,
    details,
    names: details.tags.map(tryParseReference).filter((name) => name !== undefined),
    label,
    host: daemon.address,
    root: async (call) => (await root(call)).manifest,
    async manifest(descriptor, call) {
      const { manifest } = await root(call);
      return manifest.digest === descriptor.digest ? manifest : await (await opened(call)).manifest(descriptor, call);
    },
    async blob(descriptor, from, call) {
      const { manifest, config } = await root(call);
      if (config?.digest === descriptor.digest) return oneChunk(config.bytes.subarray(from));
      const source = await opened(call);
      const now = await source.root(call);
      if (now.digest !== manifest.digest) {
        // The remembered digest was wrong, because another compressor made it.
        if (spool) await remember(spool, { id, source, manifest: now });
        throw new ImagesError('DIGEST_INVALID', `the image is another than it was [${label}]`, {
          hint: 'Run it again.',
        });
      }
      return await source.blob(descriptor, from, call);
    },
    async *referrers() {},
    statTag: async () => undefined,
    async [Symbol.asyncDispose]() {
      await (await opening?.catch(() => undefined))?.[Symbol.asyncDispose]();
    },
  };
}

interface Root {
  readonly manifest: RawManifest;
  /** Present if the config is known without the daemon. */
  readonly config?: { readonly digest: Digest; readonly bytes: Uint8Array };
}

/** Exports by id, so that a tag that moves meanwhile has no effect. */
async function openSaved(
  daemon: DockerDaemon,
  { id, diffIds }: DaemonImageDetails,
  { spool, label, temporaryDirectory, signal }: DaemonSourceOptions & { readonly label: string },
): Promise<ImageSource> {
  const call = signal ? { signal } : {};
  // Layers are compressed inline only if none is remembered. Else the archive is received first, and then only layers that are not remembered are compressed.
  const known = spool ? await Promise.all(diffIds.map((diffId) => spool.known(diffId))) : [];
  const inline = spool && known.every((form) => form === undefined);
  spool?.announce();
  const body = await daemon.save([id], call);
  const archive = await saveArchive(body, { label, directory: temporaryDirectory, ...(inline && { spool }), ...call });
  const images = await readDockerArchive(archive);
  const source = { ...images.source({ index: 0 }), label, [Symbol.asyncDispose]: images[Symbol.asyncDispose] };
  return spool ? compressedSource(source, spool) : source;
}

/** Returns manifest and config from the memory, or `undefined` if either is missing: one is useless without the other. */
async function recall({ memory }: LayerSpool, { id }: DaemonImageDetails): Promise<Root | undefined> {
  const image = await memory?.image(id);
  if (!image) return undefined;
  try {
    const manifest = rawManifest(image.manifest, image.mediaType);
    const decoded = decodeManifest(manifest);
    if (decoded.kind !== 'image') return undefined;
    verifyBytes(image.config, decoded.config);
    return { manifest, config: { digest: decoded.config.digest, bytes: image.config } };
  } catch (error) {
    if (isImagesError(error)) return undefined;
    throw error;
  }
}

interface Opened {
  readonly id: Digest;
  readonly source: ImageSource;
  readonly manifest: RawManifest;
}

async function remember({ memory }: LayerSpool, { id, source, manifest }: Opened): Promise<void> {
  const decoded = decodeManifest(manifest);
  if (!memory || decoded.kind !== 'image' || decoded.config.size > MAX_MANIFEST_SIZE) return;
  const config = await readSmallBlob(decoded.config, () => source.blob(decoded.config, 0));
  // Docker runs no image without file system layers. Such images are rarely requested, so they are not remembered.
  if (decodeConfig(config).diffIds.length !== decoded.layers.length) return;
  await memory.rememberImage(id, { mediaType: manifest.mediaType, manifest: manifest.bytes, config });
}
