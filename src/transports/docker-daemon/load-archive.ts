// The blobs and files of one `docker load`. Layers that the daemon cannot read are decompressed on their way.
import { peekCompression } from '../../io/compression/compression.ts';
import { readFileBytes } from '../../io/files/file-bytes.ts';
import { spooled } from '../../io/files/temporary-file.ts';
import type { Bytes, CallOptions, OpenContent } from '../../io/streams/bytes.ts';
import { oneChunk } from '../../io/streams/one-chunk.ts';
import { verified } from '../../io/streams/verify.ts';
import type { Descriptor } from '../../oci/descriptor.ts';
import type { Digest } from '../../oci/digest.ts';
import { isLayerType } from '../../oci/media-types.ts';
import type { SmallFile } from '../archive/archive-format.ts';
import { unpackLayer } from '../docker-archive/plain-layers.ts';
import { blobPath } from '../layout/layout-files.ts';
import type { DockerDaemon } from './daemon.ts';
import { type LoadStream, loadStream } from './load-stream.ts';

export interface LoadArchive {
  /** Whether the blob was written. */
  has(digest: Digest): boolean;
  putBlob(blob: Descriptor, open: OpenContent): Promise<void>;
  /** The layers that went in decompressed, by the digest of what they were made from. */
  readonly plain: ReadonlyMap<Digest, Descriptor>;
  /** Adds the last files, and waits until the daemon has loaded everything. Errors: the daemon's. */
  finish(files: readonly SmallFile[]): Promise<void>;
  /** The daemon then loads nothing. */
  abort(): Promise<void>;
}

export interface DaemonSinkOptions extends CallOptions {
  /** The directory for layers that wait for their turn, or are decompressed. */
  readonly temporaryDirectory: string;
}

/** The API version of Docker 23.0, the first that reads zstd. */
const ZSTD_SINCE = 1.42;

/** The request begins with the first blob or file. */
export function loadArchive(daemon: DockerDaemon, { temporaryDirectory, signal }: DaemonSinkOptions): LoadArchive {
  const sent = new Set<Digest>();
  const plain = new Map<Digest, Descriptor>();
  let stream: LoadStream | undefined;

  function begun(): LoadStream {
    stream ??= loadStream(daemon, signal && { signal });
    return stream;
  }

  /** The daemon reads one file at a time. Others are received into temporary files meanwhile. */
  async function send(blob: Descriptor, open: () => Promise<Bytes>): Promise<void> {
    const path = blobPath(blob.digest);
    if (!stream?.busy) {
      await begun().add(path, blob.size, open);
      return;
    }
    const file = await spooled(await open(), temporaryDirectory);
    try {
      await begun().add(path, blob.size, () => readFileBytes(file, {}));
    } finally {
      await file.close();
    }
  }

  async function sendLayer(blob: Descriptor, open: OpenContent): Promise<void> {
    const { compression, body } = await peekCompression(verified(await open(0), blob));
    if (compression === undefined || compression === 'gzip' || (compression === 'zstd' && (await readsZstd(daemon)))) {
      await send(blob, async () => body);
      return;
    }
    await using layer = await unpackLayer(blob, body, temporaryDirectory);
    await begun().add(blobPath(layer.descriptor.digest), layer.descriptor.size, () => layer.open(0));
    plain.set(blob.digest, layer.descriptor);
  }

  return {
    plain,
    has: (digest) => sent.has(digest),
    async putBlob(blob, open) {
      if (isLayerType(blob.mediaType)) await sendLayer(blob, open);
      else await send(blob, async () => verified(await open(0), blob));
      sent.add(blob.digest);
    },
    async finish(files) {
      for (const { path, bytes } of files) await begun().add(path, bytes.length, async () => oneChunk(bytes));
      const loading = stream;
      stream = undefined;
      await loading?.finish();
    },
    async abort() {
      await stream?.abort();
    },
  };
}

async function readsZstd(daemon: DockerDaemon): Promise<boolean> {
  const { api, server } = await daemon.ping();
  const [major, minor] = api.split('.').map(Number);
  return server.startsWith('Docker/') && (major ?? 0) + (minor ?? 0) / 100 >= ZSTD_SINCE;
}
