// The images of `make` in an archive that runtimes import: `ctr images import`, k3s' directory of images, `kind load image-archive`, `docker load`.
import { executePlan } from '../copy/execute.ts';
import { type CopyImage, planCopy } from '../copy/plan.ts';
import { formatReference, type Reference } from '../oci/reference.ts';
import { machinePlatform } from './machine-platform.ts';
import type { MakeItem } from './make-items.ts';
import type { OpenedSource } from './open-source.ts';
import type { StoreOptions } from './prepulled-store.ts';
import { callOptions, type Settings } from './settings.ts';

export interface ArchiveTarget {
  readonly format: 'oci-archive' | 'docker-archive';
  readonly path: string;
}

/** Kubelet's garbage collection spares what has it; containerd takes it as a label of the image, not from here. */
const PINNED = { 'io.cri-containerd.pinned': 'pinned' };

/** Every image with one platform: archives with a part of an index are refused by some. Errors: those of the places and of the sinks. */
export async function makeArchive(
  items: readonly MakeItem[],
  target: ArchiveTarget,
  settings: Settings,
  { platform, onEvent }: StoreOptions,
): Promise<void> {
  const sources: OpenedSource[] = [];
  try {
    const images: CopyImage[] = [];
    for (const item of items) {
      const opened = await item.open({ ...(onEvent && { onEvent }) });
      sources.push(opened);
      const name = item.name ?? opened.name ?? { path: 'image', digest: (await opened.source.root()).digest };
      images.push({ name, source: opened.source });
    }
    await using sink = await sinkOf(target);
    const shared = { ...(onEvent && { onEvent }), ...callOptions(settings) };
    const plan = await planCopy(images, sink, { platforms: [platform ?? machinePlatform()], ...shared });
    await executePlan(plan, sink, shared);
  } finally {
    for (const source of sources) await source[Symbol.asyncDispose]();
  }
}

async function sinkOf({ format, path }: ArchiveTarget) {
  if (format === 'docker-archive') {
    const { dockerArchiveSink } = await import('../transports/docker-archive/docker-archive-sink.ts');
    return dockerArchiveSink(path, { replaces: true });
  }
  const { ociArchiveSink } = await import('../transports/archive/oci-archive-sink.ts');
  return ociArchiveSink(path, { annotate, replaces: true });
}

/** An image that was named by its digest has that name in containerd. */
function annotate(name: Reference): Readonly<Record<string, string>> {
  return name.digest && name.host ? { ...PINNED, 'io.containerd.image.name': formatReference(name) } : PINNED;
}
