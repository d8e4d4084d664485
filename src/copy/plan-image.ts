// The plan of one image: its manifests are read, the sink is asked what it lacks, and the parts are compared.
import { askOnce } from '../io/concurrency/ask-once.ts';
import type { Digest } from '../oci/digest.ts';
import { manifestDescriptor, type RawManifest } from '../oci/manifest.ts';
import { formatPlatform } from '../oci/platform.ts';
import { formatReference, type Reference } from '../oci/reference.ts';
import { FORWARD, forwarding } from '../registry/policies/forwarding.ts';
import type { ImageSink } from '../transports/contract.ts';
import { checkAgreement, type WalkedImage } from './check-images.ts';
import type { CopyImage, PlannedImage, PlanOptions } from './copy-plan.ts';
import { countedSource, type ManifestSource, type RequestCounter } from './counted-source.ts';
import { failureOf } from './failure.ts';
import type { Limits } from './limits.ts';
import { type ImageGraph, walkImage } from './walk-image.ts';

export interface ImageContext extends PlanOptions {
  readonly sink: ImageSink;
  readonly signal: AbortSignal;
  readonly counter: RequestCounter;
  readonly limits: Limits;
  /** Shared by all images. */
  readonly manifests: Map<Digest, Promise<RawManifest>>;
  readonly configs: Map<Digest, Promise<Uint8Array>>;
}

export interface PlanOutcome {
  readonly planned: PlannedImage;
  /** For each blob that the sink lacks, the bytes that it holds of it. */
  readonly missing: ReadonlyMap<Digest, number>;
}

/** Changes nothing. Errors: as those of `planCopy`. */
export async function planImage({ name, label, source }: CopyImage, context: ImageContext): Promise<PlanOutcome> {
  const { sink, signal, onEvent, force = false, platforms, referrers = false } = context;
  const image = label ?? formatReference(name);
  const note = (text: string) => onEvent?.({ type: 'note', text });
  const counted = cached(
    countedSource(source, { image, signal, limits: context.limits, counter: context.counter }),
    context,
  );
  const atSource = (what: string) => ({ image, end: 'source', label: source.label, what }) as const;
  const graph = await walkImage({
    name,
    image,
    label: source.label,
    source: counted,
    sink,
    platforms,
    referrers,
    force,
    signal,
    ...(onEvent && { onEvent }),
  }).catch((error: unknown) => {
    throw failureOf(error, atSource('manifest'));
  });
  for (const platform of graph.unsuited) note(`${image} is not there for ${formatPlatform(platform)}`);
  const config = ({ manifest, child }: WalkedImage) => counted.config(manifest.config, child?.platform);
  const missing = await askSink({ name, image, graph, config }, context);
  const checked = force ? new Set<Digest>() : await checkedManifests({ name, image, graph, missing }, context);
  const platformsNamed = context.platformsNamed ?? false;
  try {
    await checkAgreement(graph.images, { image, platforms, platformsNamed, checked, config, note });
  } catch (error) {
    throw failureOf(error, atSource('the check of its parts'));
  }
  if (onEvent) {
    for (const { digest, size } of graph.blobs) {
      if (!missing.has(digest)) onEvent({ type: 'not-fetched', image, what: 'blob', digest, size, why: 'there' });
    }
  }
  const lacking = graph.blobs.filter((blob) => missing.has(blob.digest)).toSorted((a, b) => b.size - a.size);
  return { planned: { name, image, source, ...graph, lacking }, missing };
}

interface AskedImage {
  readonly name: Reference;
  readonly image: string;
  readonly graph: ImageGraph;
}

/** Whether the sink can hold the image, and what it lacks of it. */
async function askSink(
  { name, image, graph, config }: AskedImage & { config(image: WalkedImage): Promise<Uint8Array> },
  { sink, signal }: ImageContext,
): Promise<ReadonlyMap<Digest, number>> {
  try {
    sink.admit?.(name, { images: graph.images.map(({ manifest }) => manifest), attached: graph.attached });
    const [only] = graph.images;
    if (only) await sink.expect?.(name, { manifest: only.manifest, config: () => config(only) }, { signal });
    return await sink.missing(name, graph.blobs, { signal });
  } catch (error) {
    throw failureOf(error, { image, end: 'destination', label: sink.label, what: 'the question what is missing' });
  }
}

/** The digests of the images that the sink has. Only those are asked for whose configs need not be fetched anyway. */
async function checkedManifests(
  { name, image, graph, missing }: AskedImage & { readonly missing: ReadonlyMap<Digest, number> },
  { sink, signal }: ImageContext,
): Promise<ReadonlySet<Digest>> {
  const there = graph.images.filter(({ manifest }) => !missing.has(manifest.config.digest));
  if (there.length === 0) return new Set();
  const asked = there.map(({ raw }) => manifestDescriptor(raw));
  try {
    const absent = await sink.missingManifests(name, asked, { signal });
    return new Set(asked.map(({ digest }) => digest).filter((digest) => !absent.has(digest)));
  } catch (error) {
    throw failureOf(error, { image, end: 'destination', label: sink.label, what: 'the question what is missing' });
  }
}

/** Each manifest and each config is requested once for all images. After a failure, the next image asks its own source. */
function cached(source: ManifestSource, { manifests, configs }: ImageContext): ManifestSource {
  return forwarding<ManifestSource>(source, {
    root: FORWARD,
    referrers: FORWARD,
    statTag: FORWARD,
    manifest: (descriptor) => askOnce(manifests, descriptor.digest, () => source.manifest(descriptor)),
    config: (descriptor, platform) => askOnce(configs, descriptor.digest, () => source.config(descriptor, platform)),
  });
}
