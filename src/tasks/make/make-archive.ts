// Writes the images of `make` into an archive for import by runtimes: `ctr images import`, k3s' directory of images, `kind load image-archive`, `docker load`.

import type { CopyImage } from '../../copy/copy-plan.ts';
import type { CopyEvent } from '../../copy/events.ts';
import { copyRun } from '../../copy/run.ts';
import type { Digest } from '../../oci/digest.ts';
import { machinePlatform } from '../../oci/machine-platform.ts';
import { formatReference, type Reference } from '../../oci/reference.ts';
import { alsoDebugged, callOptions, type Settings, type World } from '../settings.ts';
import type { StoreEntry, StoreOptions } from './prepulled-store.ts';

export interface ArchiveTarget {
  readonly format: 'oci-archive' | 'docker-archive';
  readonly path: string;
  /**
   * The images of one platform are what is wanted, which is not worth a note; an oci-archive has no indexes then. `ctr images import --all-platforms` refuses an
   * index whose other images are not there.
   */
  readonly onePlatform?: boolean;
}

/** Exempts an image from kubelet's garbage collection. containerd reads it only from the image's labels, not from this annotation. */
const PINNED = { 'io.cri-containerd.pinned': 'pinned' };

/** Writes each image for one platform. Returns the digest to which each name points. Errors: those of the transports. */
export async function makeArchive(
  opened: readonly StoreEntry[],
  target: ArchiveTarget,
  settings: Settings,
  { platform, onEvent: onOwnEvent }: StoreOptions,
): Promise<readonly Digest[]> {
  const told = alsoDebugged('copy', settings, onOwnEvent);
  const silent = told && { onEvent: (event: CopyEvent) => (event.type === 'note' ? undefined : told(event)) };
  const images = opened.map(
    ({ text, name, source, image }): CopyImage => ({
      name: name ?? { path: 'image', digest: image.root.digest },
      label: text,
      source,
    }),
  );
  await using sink = await sinkOf(target, settings);
  const listening = target.onePlatform ? silent : told && { onEvent: told };
  const run = copyRun(sink, { ...listening, ...callOptions(settings) });
  // Notes were emitted already when the images were opened.
  const plan = await run.plan(images, { platforms: [platform ?? machinePlatform()], ...silent });
  return (await run.execute(plan)).copied.map(({ digest }) => digest);
}

async function sinkOf({ format, path, onePlatform = false }: ArchiveTarget, { temporaryDirectory }: World) {
  if (format === 'docker-archive') {
    const { dockerArchiveSink } = await import('../../transports/docker-archive/docker-archive-sink.ts');
    return dockerArchiveSink(path, { replaces: true, temporaryDirectory });
  }
  const { ociArchiveSink } = await import('../../transports/archive/oci-archive-sink.ts');
  return ociArchiveSink(path, {
    annotate: archiveAnnotations,
    replaces: true,
    temporaryDirectory,
    indexes: onePlatform ? 'none' : 'sparse',
  });
}

/** containerd takes the name of an image that was named by digest from an annotation. */
export function archiveAnnotations(name: Reference): Readonly<Record<string, string>> {
  return name.digest && name.host ? { ...PINNED, 'io.containerd.image.name': formatReference(name) } : PINNED;
}
