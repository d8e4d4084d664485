// A plan of a copy: every manifest read, every blob known with its size, before the first byte of a blob is fetched.
import type { Descriptor } from '../oci/descriptor.ts';
import type { Digest } from '../oci/digest.ts';
import { type ImagesError, isImagesError } from '../oci/errors.ts';
import { decodeManifest, type RawManifest } from '../oci/manifest.ts';
import { formatPlatform, type PlatformChoice } from '../oci/platform.ts';
import { formatReference, type Reference } from '../oci/reference.ts';
import type { ImageSink, ImageSource } from '../transports/contract.ts';
import { countedSource, type ManifestSource, type RequestCounter } from './counted-source.ts';
import type { OnCopyEvent } from './events.ts';
import { failureOf } from './failure.ts';
import { type Concurrency, createLimits, type Limits } from './limits.ts';
import { type ImageGraph, walkImage } from './walk-image.ts';

export interface CopyImage {
  /** What the image is called at the destination. */
  readonly name: Reference;
  /** For messages, where the name says nothing to people. */
  readonly label?: string;
  readonly source: ImageSource;
}

export interface PlanOptions {
  readonly platforms: PlatformChoice;
  /** Signatures and other referrers come along. */
  readonly referrers?: boolean;
  /** Every manifest and blob is looked at, also below manifests that the destination has. */
  readonly force?: boolean;
  /** Images that fail are listed in the plan; else the first failure ends it. */
  readonly keepGoing?: boolean;
  readonly concurrency?: Concurrency;
  readonly signal?: AbortSignal;
  readonly onEvent?: OnCopyEvent;
}

export interface PlannedImage extends CopyImage, ImageGraph {
  /** The name as text. */
  readonly image: string;
  /** Blobs that the name lacks at the destination, the biggest first. */
  readonly lacking: readonly Descriptor[];
}

export interface PlannedBlob {
  readonly blob: Descriptor;
  /** Bytes that the destination holds of it; all, where it only needs a link. */
  readonly held: number;
  /** A name of this run that has it at the destination: mounted from there. */
  readonly from?: Reference;
}

export interface FailedImage {
  readonly image: string;
  readonly name: Reference;
  readonly error: ImagesError;
}

export interface CopyPlan {
  readonly images: readonly PlannedImage[];
  readonly failed: readonly FailedImage[];
  /** Each blob that some image lacks, once. */
  readonly blobs: ReadonlyMap<Digest, PlannedBlob>;
  /** Bytes to fetch. */
  readonly bytes: number;
  /** Bytes of the images' blobs that the destination has. */
  readonly held: number;
  /** Requests to sources: those that planning made, and one for each blob to fetch. */
  readonly requests: number;
  /** Of these, the ones made. */
  readonly requestsMade: number;
}

/** Asks the sources for manifests and the sink what it has; changes nothing. Errors: the sources', the sink's, PLATFORM_UNKNOWN. */
export async function planCopy(images: readonly CopyImage[], sink: ImageSink, options: PlanOptions): Promise<CopyPlan> {
  const abort = new AbortController();
  const signal = options.signal ? AbortSignal.any([options.signal, abort.signal]) : abort.signal;
  const counter: RequestCounter = { requests: 0 };
  const limits = createLimits(options.concurrency);
  const cache = new Map<Digest, Promise<RawManifest>>();
  const outcomes = await Promise.allSettled(
    images.map((image) =>
      planImage(image, { ...options, sink, signal, counter, limits, cache }).catch((error: unknown) => {
        if (!options.keepGoing) abort.abort(error);
        throw error;
      }),
    ),
  );
  options.signal?.throwIfAborted();
  // The reason is the first failure; the other images only broke off because of it.
  abort.signal.throwIfAborted();

  const planned: PlanOutcome[] = [];
  const failed: FailedImage[] = [];
  outcomes.forEach((outcome, at) => {
    if (outcome.status === 'fulfilled') planned.push(outcome.value);
    else failed.push(failedImage(images[at] as CopyImage, outcome.reason));
  });
  return assemble(planned, failed, counter.requests);
}

interface ImageContext extends PlanOptions {
  readonly sink: ImageSink;
  readonly signal: AbortSignal;
  readonly counter: RequestCounter;
  readonly limits: Limits;
  readonly cache: Map<Digest, Promise<RawManifest>>;
}

interface PlanOutcome {
  readonly planned: PlannedImage;
  /** Held bytes of each blob that is lacking. */
  readonly missing: ReadonlyMap<Digest, number>;
}

async function planImage({ name, label, source }: CopyImage, context: ImageContext): Promise<PlanOutcome> {
  const { sink, signal, onEvent } = context;
  const image = label ?? formatReference(name);
  const counted = countedSource(source, { image, signal, limits: context.limits, counter: context.counter });
  let graph: ImageGraph;
  try {
    graph = await walkImage({
      name,
      image,
      source: cached(counted, context.cache),
      sink,
      platforms: context.platforms,
      referrers: context.referrers ?? false,
      force: context.force ?? false,
      signal,
    });
  } catch (error) {
    throw failureOf(error, { image, end: 'source', label: source.label, what: 'manifest' });
  }
  for (const platform of graph.unsuited) {
    onEvent?.({ type: 'note', text: `${image} is not there for ${formatPlatform(platform)}` });
  }
  if (sink.expect) await expectImage(sink, { name, image, source, graph }, context);
  try {
    const missing = await sink.missing(name, graph.blobs, { signal });
    const lacking = graph.blobs.filter((blob) => missing.has(blob.digest)).toSorted((a, b) => b.size - a.size);
    return { planned: { name, image, source, ...graph, lacking }, missing };
  } catch (error) {
    throw failureOf(error, { image, end: 'destination', label: sink.label, what: 'the question what is missing' });
  }
}

interface Expected extends CopyImage {
  readonly image: string;
  readonly graph: ImageGraph;
}

/** Tells the sink of the image that its name is going to point to. */
async function expectImage(sink: ImageSink, expected: Expected, context: ImageContext): Promise<void> {
  const { name, image, source, graph } = expected;
  const { signal, limits, counter } = context;
  const manifest = decodeManifest(graph.alone ?? graph.root);
  if (manifest.kind !== 'image') return;
  const config = async (): Promise<Uint8Array> => {
    try {
      return await limits.source(
        source.host,
        async () => {
          counter.requests++;
          return Buffer.concat(await Array.fromAsync(await source.blob(manifest.config, 0, { signal })));
        },
        signal,
      );
    } catch (error) {
      throw failureOf(error, { image, end: 'source', label: source.label, what: `blob ${manifest.config.digest}` });
    }
  };
  try {
    await sink.expect?.(name, { manifest, config }, { signal });
  } catch (error) {
    throw failureOf(error, { image, end: 'destination', label: sink.label, what: 'the question what is there' });
  }
}

/** One request for a manifest over all images; after a failure the next image asks its own source. */
function cached(source: ManifestSource, cache: Map<Digest, Promise<RawManifest>>): ManifestSource {
  return {
    ...source,
    async manifest(descriptor) {
      const asking = cache.get(descriptor.digest);
      const known = asking && (await asking.catch(() => undefined));
      if (known) return known;
      const asked = source.manifest(descriptor);
      cache.set(descriptor.digest, asked);
      return asked;
    },
  };
}

function failedImage({ name, label }: CopyImage, error: unknown): FailedImage {
  if (!isImagesError(error)) throw error;
  return { name, image: label ?? formatReference(name), error };
}

function assemble(outcomes: readonly PlanOutcome[], failed: readonly FailedImage[], requestsMade: number): CopyPlan {
  const blobs = new Map<Digest, PlannedBlob>();
  const sizes = new Map<Digest, number>();
  const holders = new Map<Digest, Reference>();
  for (const { planned, missing } of outcomes) {
    for (const blob of planned.blobs) {
      sizes.set(blob.digest, blob.size);
      const held = missing.get(blob.digest);
      if (held === undefined) holders.set(blob.digest, planned.name);
      else blobs.set(blob.digest, { blob, held: Math.max(held, blobs.get(blob.digest)?.held ?? 0) });
    }
  }
  let bytes = 0;
  let fetches = 0;
  for (const [digest, { blob, held }] of blobs) {
    const from = holders.get(digest);
    if (from) blobs.set(digest, { blob, held: blob.size, from });
    else if (held < blob.size) fetches++;
    bytes += from ? 0 : blob.size - held;
  }
  const total = [...sizes.values()].reduce((sum, size) => sum + size, 0);
  return {
    images: outcomes.map((outcome) => outcome.planned),
    failed,
    blobs,
    bytes,
    held: total - bytes,
    requests: requestsMade + fetches,
    requestsMade,
  };
}
