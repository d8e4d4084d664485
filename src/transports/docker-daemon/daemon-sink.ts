// A Docker daemon as a sink of images: one `docker load`, which is streamed while the layers arrive. Layers that the daemon has are neither fetched nor sent.
import { singleFlight } from '../../io/concurrency/single-flight.ts';
import type { Digest } from '../../oci/digest.ts';
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
import { withPlainLayers } from '../docker-archive/plain-layers.ts';
import { layoutEntries } from '../layout/layout-entry.ts';
import type { DockerDaemon } from './daemon.ts';
import { type DaemonSinkOptions, loadArchive } from './load-archive.ts';
import { neededLayers } from './needed-layers.ts';

/** The images exist when the sink is finished. Disposing earlier loads nothing. The daemon stays open. */
export function dockerDaemonSink(daemon: DockerDaemon, options: DaemonSinkOptions): ImageSink {
  const archive = loadArchive(daemon, options);
  const layers = neededLayers(daemon);
  const puts = singleFlight<Digest>();
  const manifests = memoryManifests({ has: (digest) => archive.has(digest) || layers.hasSomewhere(digest) });
  /** Images by full name: each name has one image. */
  const named = new Map<string, NamedManifest>();
  const entries = layoutEntries([]);
  const label = `docker-daemon:${daemon.address}`;
  const isThere = (name: Reference, digest: Digest) => archive.has(digest) || layers.has(name, digest);

  /** The files by which the daemon finds the images in the archive. */
  async function lastFiles(): Promise<readonly SmallFile[]> {
    const images = [...named.values()];
    const files = dockerManifestFiles(images);
    if (!(await daemon.usesContainerdStore())) return files;
    // In containerd's image store an image keeps its own manifest.
    const { raws } = manifests.below(images.map(({ manifest }) => manifest.digest));
    return [...layoutSmallFiles(raws, entries.list()), ...files];
  }

  return {
    label,
    wants: { layers: 'as-is', indexes: 'none', order: 'planned', takesAgain: false },
    admit: (_, parts) => admitDockerImage(parts, label),
    expect: layers.expect,
    missing: async (name, blobs) =>
      new Map(blobs.filter(({ digest }) => !isThere(name, digest)).map(({ digest }) => [digest, 0])),
    missingManifests: async (_, wanted) =>
      new Set(wanted.filter(({ digest }) => !manifests.has(digest)).map(({ digest }) => digest)),
    async putBlob(name, blob, open, call) {
      await puts.run(
        blob.digest,
        () => isThere(name, blob.digest),
        () => archive.putBlob(blob, open),
        call?.signal,
      );
    },
    mountBlob: async (name, { digest }) => isThere(name, digest),
    async putManifest(_, manifest) {
      requireDockerImage(manifest);
      manifests.add(manifest);
    },
    async commit(name, root) {
      requireDockerImage(root);
      manifests.add(root);
      const manifest = withPlainLayers(root, archive.plain);
      manifests.put(manifest);
      entries.put(dockerEntry(manifest, name));
      named.set(formatReference(fullReference(name)), { names: [name], manifest });
    },
    async finish() {
      if (named.size > 0) await archive.finish(await lastFiles());
    },
    async [Symbol.asyncDispose]() {
      await archive.abort();
      await puts.settled();
    },
  };
}
