// The plan of a copy. Before the first byte of a blob is fetched, every manifest is read and the size of every blob is known.
import { askOnce } from '../io/concurrency/ask-once.ts';
import { addAll } from '../oci/add-all.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import type { Digest } from '../oci/digest.ts';
import { ImagesError, isImagesError } from '../oci/errors.ts';
import { manifestDescriptor, type RawManifest } from '../oci/manifest.ts';
import { formatPlatform, type PlatformChoice } from '../oci/platform.ts';
import { formatReference, type Reference } from '../oci/reference.ts';
import { FORWARD, forwarding } from '../registry/policies/forwarding.ts';
import type { ImageSink, ImageSource } from '../transports/contract.ts';
import { checkAgreement, type WalkedImage } from './check-images.ts';
import { countedSource, type ManifestSource, type RequestCounter } from './counted-source.ts';
import type { OnCopyEvent } from './events.ts';
import { asItStands, failureOf } from './failure.ts';
import type { Concurrency, Limits } from './limits.ts';
import { type RunControl, runControl } from './run-control.ts';
import { type ImageGraph, walkImage } from './walk-image.ts';

export interface CopyImage {
  /** The name of the image at the destination. */
  readonly name: Reference;
  /** The name of the image in messages, if `name` means nothing to people. */
  readonly label?: string;
  readonly source: ImageSource;
}

/** What of each image is copied, and how thoroughly the destination is checked. */
export interface PlanChoices {
  readonly platforms: PlatformChoice;
  /** Whether the user named the platforms: then an image without an index that is for none of them is refused. */
  readonly platformsNamed?: boolean;
  /** Whether signatures and other referrers are copied, too. */
  readonly referrers?: boolean;
  /** Whether the destination is asked for every manifest and blob, also below manifests that it has. */
  readonly force?: boolean;
}

export interface PlanOptions extends PlanChoices {
  /** Images that fail are listed in the plan. If false, the first failure ends planning. */
  readonly keepGoing?: boolean;
  readonly concurrency?: Concurrency;
  readonly signal?: AbortSignal;
  readonly onEvent?: OnCopyEvent;
}

export interface PlannedImage extends CopyImage, ImageGraph {
  /** The name as text. */
  readonly image: string;
  /** Blobs that the destination lacks under this name, the largest first. */
  readonly lacking: readonly Descriptor[];
}

export interface PlannedBlob {
  readonly blob: Descriptor;
  /** Bytes of the blob that the destination has. Equal to its size if the blob only needs a link. */
  readonly present: number;
  /** The name of another image of this run that has the blob at the destination: it is mounted from there. */
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
  /** Each blob that at least one image lacks, once. */
  readonly blobs: ReadonlyMap<Digest, PlannedBlob>;
  /** Configs that planning has read and that are not fetched again. */
  readonly configs: ReadonlyMap<Digest, Uint8Array>;
  /** Bytes to fetch. */
  readonly bytes: number;
  /** Bytes of the images' blobs that the destination has. */
  readonly alreadyThere: number;
  /** Requests to sources: those made for planning, and one for each other blob to fetch. */
  readonly requests: number;
  /** The part of `requests` that is made already. */
  readonly requestsMade: number;
}

/**
 * Asks the sources for manifests and configs, and the sink for what it has. Changes nothing. Errors: the sources', the sink's, PLATFORM_UNKNOWN,
 * MANIFEST_INVALID if parts of an image disagree, UNSUPPORTED for what the sink cannot hold.
 */
export async function planCopy(images: readonly CopyImage[], sink: ImageSink, options: PlanOptions): Promise<CopyPlan> {
  return await planIn(runControl(options), images, sink, options);
}

/** Like `planCopy`, within a run. `signal` ends only the planning. */
export async function planIn(
  control: RunControl,
  images: readonly CopyImage[],
  sink: ImageSink,
  options: Omit<PlanOptions, 'concurrency'>,
): Promise<CopyPlan> {
  const { limits } = control;
  const signal = options.signal ? AbortSignal.any([options.signal, control.signal]) : control.signal;
  const counter: RequestCounter = { requests: 0 };
  const manifests = new Map<Digest, Promise<RawManifest>>();
  const configs = new Map<Digest, Promise<Uint8Array>>();
  const outcomes = await Promise.allSettled(
    images.map((image) =>
      planImage(image, { ...options, sink, signal, counter, limits, manifests, configs }).catch((error: unknown) => {
        control.fail(error);
        throw error;
      }),
    ),
  );
  // The abort reason is the caller's, or the first failure. The other images only failed because of the abort.
  signal.throwIfAborted();

  const planned: PlanOutcome[] = [];
  const failed: FailedImage[] = [];
  outcomes.forEach((outcome, at) => {
    if (outcome.status === 'fulfilled') planned.push(outcome.value);
    else failed.push(failedImage(images[at] as CopyImage, outcome.reason));
  });
  const { distinct, clashing } = oneImageAName(planned, sink);
  const [clash] = clashing;
  if (clash && !options.keepGoing) throw clash.error;
  addAll(failed, clashing);
  return assemble(distinct, failed, { configs: await resolved(configs), requestsMade: counter.requests });
}

/** Separates images whose names become the same name at the destination: the second one would silently replace the first. */
function oneImageAName(
  planned: readonly PlanOutcome[],
  sink: ImageSink,
): { readonly distinct: readonly PlanOutcome[]; readonly clashing: readonly FailedImage[] } {
  const taken = new Map<string, PlannedImage>();
  const distinct: PlanOutcome[] = [];
  const clashing: FailedImage[] = [];
  for (const outcome of planned) {
    const { name, image, root } = outcome.planned;
    const there = sink.nameThere?.(name);
    const other = there === undefined ? undefined : taken.get(there);
    if (other && other.root.digest !== root.digest) {
      const what = `${image} and ${other.image} are two images, and both would be ${there} at ${sink.label}`;
      const hint = 'Copy one of them under another name: images copy IMAGE docker://HOST/NAME:TAG.';
      clashing.push({ name, image, error: asItStands(new ImagesError('UNSUPPORTED', what, { hint })) });
      continue;
    }
    if (there !== undefined) taken.set(there, outcome.planned);
    distinct.push(outcome);
  }
  return { distinct, clashing };
}

/** The results of the promises that were fulfilled. */
async function resolved<T>(promises: ReadonlyMap<Digest, Promise<T>>): Promise<ReadonlyMap<Digest, T>> {
  const settled = await Promise.all(
    [...promises].map(async ([digest, promise]) => {
      const value = await promise.catch(() => undefined);
      return value === undefined ? [] : [[digest, value] as const];
    }),
  );
  return new Map(settled.flat());
}

interface ImageContext extends PlanOptions {
  readonly sink: ImageSink;
  readonly signal: AbortSignal;
  readonly counter: RequestCounter;
  readonly limits: Limits;
  /** Shared by all images. */
  readonly manifests: Map<Digest, Promise<RawManifest>>;
  readonly configs: Map<Digest, Promise<Uint8Array>>;
}

interface PlanOutcome {
  readonly planned: PlannedImage;
  /** For each blob that the sink lacks, the bytes that it holds of it. */
  readonly missing: ReadonlyMap<Digest, number>;
}

async function planImage({ name, label, source }: CopyImage, context: ImageContext): Promise<PlanOutcome> {
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

function failedImage({ name, label }: CopyImage, error: unknown): FailedImage {
  if (!isImagesError(error)) throw error;
  return { name, image: label ?? formatReference(name), error };
}

function assemble(
  outcomes: readonly PlanOutcome[],
  failed: readonly FailedImage[],
  { configs, requestsMade }: Pick<CopyPlan, 'configs' | 'requestsMade'>,
): CopyPlan {
  const blobs = new Map<Digest, PlannedBlob>();
  const sizes = new Map<Digest, number>();
  const holders = new Map<Digest, Reference>();
  for (const { planned, missing } of outcomes) {
    for (const blob of planned.blobs) {
      sizes.set(blob.digest, blob.size);
      const present = missing.get(blob.digest);
      if (present === undefined) holders.set(blob.digest, planned.name);
      else blobs.set(blob.digest, { blob, present: Math.max(present, blobs.get(blob.digest)?.present ?? 0) });
    }
  }
  let bytes = 0;
  let fetches = 0;
  for (const [digest, { blob, present }] of blobs) {
    const from = holders.get(digest);
    if (from) blobs.set(digest, { blob, present: blob.size, from });
    else if (present < blob.size && !configs.has(digest)) fetches++;
    bytes += from ? 0 : blob.size - present;
  }
  const total = [...sizes.values()].reduce((sum, size) => sum + size, 0);
  return {
    images: outcomes.map((outcome) => outcome.planned),
    failed,
    blobs,
    configs,
    bytes,
    alreadyThere: total - bytes,
    requests: requestsMade + fetches,
    requestsMade,
  };
}
