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
  const onEvent = alsoDebugged('copy', settings, onOwnEvent);
  const images = opened.map(
    ({ text, name, source, image }): CopyImage => ({
      name: name ?? { path: 'image', digest: image.root.digest },
      label: text,
      source,
    }),
  );
  await using sink = await sinkOf(target, settings);
  const run = copyRun(sink, { ...(onEvent && { onEvent }), ...callOptions(settings) });
  // Notes were emitted already when the images were opened.
  const quiet = onEvent && { onEvent: (event: CopyEvent) => (event.type === 'note' ? undefined : onEvent(event)) };
  const plan = await run.plan(images, { platforms: [platform ?? machinePlatform()], ...quiet });
  return (await run.execute(plan)).copied.map(({ digest }) => digest);
}

async function sinkOf({ format, path }: ArchiveTarget, { temporaryDirectory }: World) {
  if (format === 'docker-archive') {
    const { dockerArchiveSink } = await import('../../transports/docker-archive/docker-archive-sink.ts');
    return dockerArchiveSink(path, { replaces: true, temporaryDirectory });
  }
  const { ociArchiveSink } = await import('../../transports/archive/oci-archive-sink.ts');
  return ociArchiveSink(path, { annotate, replaces: true, temporaryDirectory });
}

/** containerd takes the name of an image that was named by digest from an annotation. */
function annotate(name: Reference): Readonly<Record<string, string>> {
  return name.digest && name.host ? { ...PINNED, 'io.containerd.image.name': formatReference(name) } : PINNED;
}
