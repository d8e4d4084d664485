// An archive in the newest form of `docker save` as a sink: an OCI layout with Docker's manifest.json beside its index. It replaces what is there.
import { tmpdir } from 'node:os';
import { peekCompression } from '../../io/compression.ts';
import { createTurns } from '../../io/turns.ts';
import { verified } from '../../io/verify.ts';
import type { Descriptor } from '../../oci/descriptor.ts';
import type { Digest } from '../../oci/digest.ts';
import { isLayerType } from '../../oci/media-types.ts';
import { formatReference, fullReference } from '../../oci/reference.ts';
import type { Bytes, CallOptions, OpenContent } from '../../registry/contract.ts';
import { archiveWriter } from '../archive/archive-writer.ts';
import { layoutSmallFiles, memoryManifests } from '../archive/memory-manifests.ts';
import type { ImageSink } from '../contract.ts';
import { withEntry } from '../layout/layout-entry.ts';
import {
  admitDockerImage,
  dockerEntry,
  dockerManifestFiles,
  type NamedManifest,
  requireDockerImage,
} from './docker-manifest.ts';
import { type PlainLayer, saysUnreadable, unpackLayer, withPlainLayers } from './plain-layers.ts';

export interface DockerArchiveSinkOptions {
  /** Where layers are unpacked that Docker cannot read packed; the system's place when absent. */
  readonly temporaryDirectory?: string;
}

/** `docker-archive:FILE`. FILE is there when the sink is finished; without an image nothing is written. */
export function dockerArchiveSink(path: string, options: DockerArchiveSinkOptions = {}): ImageSink {
  const label = `docker-archive:${path}`;
  const writer = archiveWriter(path);
  const plain = new Map<Digest, PlainLayer>();
  const manifests = memoryManifests({ has: (digest) => writer.has(digest) || plain.has(digest) });
  /** By full name: a name is that of one image. */
  const named = new Map<string, NamedManifest>();
  let entries: readonly Descriptor[] = [];

  const has = (digest: Digest): boolean => writer.has(digest) || plain.has(digest);

  const putLayer = async (blob: Descriptor, open: OpenContent, call?: CallOptions): Promise<void> => {
    const { compression, body } = await peekCompression(verified(await open(0), blob));
    if (compression === undefined || compression === 'gzip') {
      try {
        await writer.putBlob(blob, onceOpened(body, open), call);
      } finally {
        // Whoever did not come to read it has not closed it.
        await body[Symbol.asyncIterator]().return?.();
      }
      return;
    }
    plain.set(blob.digest, await unpackLayer(blob, body, options.temporaryDirectory ?? tmpdir()));
  };

  const turns = createTurns<Digest>();

  return {
    label,
    wants: { layers: 'as-is', indexes: 'none', order: 'planned' },
    admit: (_, parts) => admitDockerImage(parts, label),
    missing: async (_, blobs) => {
      writer.expect(blobs.filter(({ mediaType }) => !saysUnreadable(mediaType)));
      return new Map(blobs.filter(({ digest }) => !has(digest)).map(({ digest }) => [digest, 0]));
    },
    missingManifests: async (_, wanted) =>
      new Set(wanted.filter(({ digest }) => !manifests.has(digest)).map(({ digest }) => digest)),
    async putBlob(_, blob, open, call) {
      if (!isLayerType(blob.mediaType)) {
        await writer.putBlob(blob, open, call);
        return;
      }
      await turns.run(
        blob.digest,
        () => has(blob.digest),
        () => putLayer(blob, open, call),
      );
    },
    mountBlob: async (_, blob) => has(blob.digest),
    async putManifest(_, manifest) {
      requireDockerImage(manifest);
      manifests.add(manifest);
    },
    async commit(name, root) {
      requireDockerImage(root);
      manifests.add(root);
      const descriptors = new Map([...plain].map(([digest, { descriptor }]) => [digest, descriptor]));
      const manifest = withPlainLayers(root, descriptors);
      manifests.put(manifest);
      entries = withEntry(entries, dockerEntry(manifest, name)) as readonly Descriptor[];
      named.set(formatReference(fullReference(name)), { names: [name], manifest });
    },
    async finish() {
      if (entries.length === 0) return;
      const layers = [...plain.values()].sort((a, b) => (a.descriptor.digest < b.descriptor.digest ? -1 : 1));
      for (const layer of layers) await writer.putBlob(layer.descriptor, layer.open);
      const { blobs, raws } = manifests.below(entries.map(({ digest }) => digest));
      const files = [...layoutSmallFiles(raws, entries), ...dockerManifestFiles([...named.values()])];
      await writer.finish(blobs, files);
    },
    async [Symbol.asyncDispose]() {
      await turns.settled();
      await writer[Symbol.asyncDispose]();
      for (const layer of plain.values()) await layer[Symbol.asyncDispose]();
      plain.clear();
    },
  };
}

/** The body that was looked into already; opened anew after that. */
function onceOpened(body: Bytes, open: OpenContent): OpenContent {
  let first: Bytes | undefined = body;
  return async (from) => {
    const opened = first;
    first = undefined;
    return opened ?? open(from);
  };
}
