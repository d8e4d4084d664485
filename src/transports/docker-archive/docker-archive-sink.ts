// An archive in the newest form of `docker save` as a sink: an OCI layout with Docker's manifest.json beside its index. Other images in it are kept.
import { singleFlight } from '../../io/concurrency/single-flight.ts';
import type { CallOptions, OpenContent } from '../../io/streams/bytes.ts';
import type { Digest } from '../../oci/digest.ts';
import { ImagesError, isImagesError } from '../../oci/errors.ts';
import { isLayerType } from '../../oci/media-types.ts';
import { formatReference, fullReference } from '../../oci/reference.ts';
import { growingArchive } from '../archive/growing-archive.ts';
import { cannotBeAddedTo, digestOfPath, type KeptArchive } from '../archive/kept-archive.ts';
import type { ImageSink } from '../contract.ts';
import { type LayoutEntries, layoutEntries } from '../layout/layout-entry.ts';
import {
  admitDockerImage,
  type DockerLists,
  decodeDockerLists,
  dockerEntry,
  dockerManifestFiles,
  MANIFEST_FILE,
  type NamedManifest,
  REPOSITORIES_FILE,
  requireDockerImage,
  withoutNames,
} from './docker-manifest.ts';
import { plainLayers, saysUnreadable, withPlainLayers } from './plain-layers.ts';

export interface DockerArchiveSinkOptions {
  /** Whether the archive is replaced: it then holds only these images. */
  readonly replaces?: boolean;
  /** The directory for layers that are decompressed because Docker cannot read them, and for an archive that goes to a device or a pipe. */
  readonly temporaryDirectory: string;
}

/**
 * `docker-archive:FILE`. FILE does not change before the sink is finished, and not at all without an image. Errors of `missing` and `missingManifests`:
 * LOCATION_INVALID if FILE is something else.
 */
export function dockerArchiveSink(path: string, options: DockerArchiveSinkOptions): ImageSink {
  const label = `docker-archive:${path}`;
  const files = { beside: [MANIFEST_FILE, REPOSITORIES_FILE], required: [MANIFEST_FILE] };
  const { temporaryDirectory, replaces = false } = options;
  const plain = plainLayers(temporaryDirectory);
  const growing = { label, temporaryDirectory, replaces, ...files };
  const archive = growingArchive(path, growing, (digest) => plain.has(digest));
  const { manifests } = archive;
  /** Images by full name: each name has one image. */
  const named = new Map<string, NamedManifest>();
  let entries: LayoutEntries | undefined;
  let reading: Promise<DockerLists> | undefined;

  const readLists = (call?: CallOptions): Promise<DockerLists> => {
    reading ??= archive.kept(call).then((kept) => keptLists(kept, label));
    return reading;
  };

  const puts = singleFlight<Digest>();

  return {
    label,
    wants: { layers: 'as-is', indexes: 'none', order: 'planned' },
    admit: (_, parts) => admitDockerImage(parts, label),
    async missing(_, blobs, call) {
      await readLists(call);
      archive.expect(blobs.filter(({ mediaType }) => !saysUnreadable(mediaType)));
      return new Map(blobs.filter(({ digest }) => !archive.has(digest)).map(({ digest }) => [digest, 0]));
    },
    async missingManifests(_, wanted, call) {
      await archive.kept(call);
      return new Set(wanted.filter(({ digest }) => !manifests.has(digest)).map(({ digest }) => digest));
    },
    async putBlob(_, blob, open, call) {
      await archive.kept(call);
      await puts.run(
        blob.digest,
        () => archive.has(blob.digest),
        () => {
          const write = (content: OpenContent) => archive.putBlob(blob, content, call);
          return isLayerType(blob.mediaType) ? plain.put(blob, open, write) : write(open);
        },
      );
    },
    mountBlob: async (_, blob) => archive.has(blob.digest),
    async putManifest(_, manifest) {
      requireDockerImage(manifest);
      manifests.add(manifest);
    },
    async commit(name, root) {
      requireDockerImage(root);
      manifests.add(root);
      const manifest = withPlainLayers(root, plain);
      manifests.put(manifest);
      const kept = await archive.kept();
      const full = formatReference(fullReference(name));
      entries ??= layoutEntries(kept?.entries ?? []);
      // Other tools name images in the index differently. Entries that any tool reads as this name are replaced.
      entries.drop(full);
      entries.put(dockerEntry(manifest, name));
      named.set(full, { names: [name], manifest });
    },
    committed: (name) => named.get(formatReference(fullReference(name)))?.manifest.digest,
    async finish(call) {
      if (!entries) return;
      for (const layer of plain.sorted()) await archive.putBlob(layer.descriptor, layer.open);
      const lists = withoutNames(await readLists(), new Set(named.keys()));
      const needed = lists.items.flatMap(({ config, layers }) => [config, ...layers].flatMap(digestOfPath));
      await archive.finish(entries.list(), { ...call, needed, files: dockerManifestFiles([...named.values()], lists) });
    },
    async [Symbol.asyncDispose]() {
      await puts.settled();
      await archive[Symbol.asyncDispose]();
      await plain[Symbol.asyncDispose]();
    },
  };
}

/** Errors: LOCATION_INVALID if the lists cannot be read, or name files that are not blobs. */
async function keptLists(kept: KeptArchive | undefined, label: string): Promise<DockerLists> {
  const manifest = await kept?.read(MANIFEST_FILE);
  if (!kept || !manifest) return { items: [], repositories: {} };
  try {
    const lists = decodeDockerLists(manifest, await kept.read(REPOSITORIES_FILE));
    const paths = lists.items.flatMap(({ config, layers }) => [config, ...layers]);
    const absent = paths.find((path) => !digestOfPath(path).some((digest) => kept.blobs.has(digest)));
    if (absent === undefined) return lists;
    throw new ImagesError('LOCATION_INVALID', `${MANIFEST_FILE} names "${absent}", which is no blob of it`);
  } catch (error) {
    throw isImagesError(error) ? cannotBeAddedTo(label, error) : error;
  }
}
