// Executes a plan: each blob once for all images, then the manifests of each image. An image's tag is put last, and as soon as its own parts are stored.
import type { CallOptions } from '../io/streams/bytes.ts';
import type { Digest } from '../oci/digest.ts';
import { isImagesError } from '../oci/errors.ts';
import { decodeManifest, isElsewhere, type RawManifest } from '../oci/manifest.ts';
import { isIndexType } from '../oci/media-types.ts';
import type { Reference } from '../oci/reference.ts';
import type { ImageSink } from '../transports/contract.ts';
import type { CopyPlan, FailedImage, PlannedImage } from './copy-plan.ts';
import type { OnCopyEvent } from './events.ts';
import { failureOf } from './failure.ts';
import { platformsIn } from './instead-of-index.ts';
import type { Concurrency } from './limits.ts';
import { type BlobRun, type ImageRun, provideBlob } from './provide-blob.ts';
import { type RunControl, runControl } from './run-control.ts';
import { createTotals } from './totals.ts';

export interface ExecuteOptions {
  /** Images that fail are listed in the result. If false, the first failure ends the run and is thrown. */
  readonly keepGoing?: boolean;
  readonly concurrency?: Concurrency;
  readonly signal?: AbortSignal;
  readonly onEvent?: OnCopyEvent;
}

export interface CopiedImage {
  readonly image: string;
  readonly name: Reference;
  /** The digest to which the name points now: that of the root, of what is tagged instead of it, or of the form that the destination made. */
  readonly digest: Digest;
}

export interface CopyResult {
  /** In the order of the plan. */
  readonly copied: readonly CopiedImage[];
  /** Includes the images that failed in the plan. */
  readonly failed: readonly FailedImage[];
  /** Bytes of blobs that came from sources. */
  readonly fetched: number;
  /** Bytes of the images' blobs that the destination had already, when planning or since. */
  readonly alreadyThere: number;
  /** Requests to sources, including those of the plan. */
  readonly requests: number;
}

/** Also finishes the sink. After a failure or an abort, what was fetched is kept for the next run. Errors: the sources' and the sink's. */
export async function executePlan(plan: CopyPlan, sink: ImageSink, options: ExecuteOptions = {}): Promise<CopyResult> {
  return await executeIn(runControl(options), plan, sink, options);
}

/** Like `executePlan`, within a run. */
export async function executeIn(
  { limits, signal, fail }: RunControl,
  plan: CopyPlan,
  sink: ImageSink,
  options: Pick<ExecuteOptions, 'onEvent'>,
): Promise<CopyResult> {
  const emit: OnCopyEvent = (event) => options.onEvent?.(event);
  const run: Run = {
    sink,
    limits,
    signal,
    emit,
    totals: createTotals(plan, emit),
    counter: { requests: plan.requestsMade },
    holders: new Map(),
    configs: plan.configs,
    refusesSparse: sink.wants.indexes === 'none',
    fail,
  };
  for (const { blob, from } of plan.blobs.values()) if (from) run.holders.set(blob.digest, Promise.resolve(from));

  const turns = takeTurns(plan.images);
  const copied: CopiedImage[] = [];
  const failed: FailedImage[] = [...plan.failed];
  await Promise.all(
    biggestFirst(plan).map(async (planned) => {
      const turn = turns.get(planned);
      const { name, image } = planned;
      try {
        copied.push({ name, image, digest: await copyImage(run, planned, turn?.before) });
      } catch (error) {
        run.fail(error);
        if (signal.aborted) return;
        if (!isImagesError(error)) throw error;
        failed.push({ name, image, error });
        emit({ type: 'image-failed', image, error });
      } finally {
        turn?.end();
      }
    }),
  );
  // The abort reason is the caller's, or the first failure. The other images only failed because of the abort.
  signal.throwIfAborted();
  await sink.finish({ signal });
  const order = new Map(plan.images.map((planned, at) => [planned.name, at]));
  copied.sort((a, b) => (order.get(a.name) ?? 0) - (order.get(b.name) ?? 0));
  return {
    copied,
    failed,
    fetched: run.totals.fetched,
    alreadyThere: run.totals.alreadyThere,
    requests: run.counter.requests,
  };
}

interface Run extends BlobRun {
  /** Set once the sink has refused a sparse index, so that it is not tried again for the next image. */
  refusesSparse: boolean;
  fail(error: unknown): void;
}

async function copyImage(run: Run, planned: PlannedImage, before?: Promise<void>): Promise<Digest> {
  const image = imageRun(run, planned);
  await Promise.allSettled(
    planned.lacking.map((blob) => provideBlob(run, image, blob).catch((error: unknown) => image.fail(error))),
  );
  image.throwIfFailed();
  image.begin();
  await putManifests(run, planned);
  await before;
  const committed = await commit(run, planned);
  const digest = run.sink.committed?.(planned.name) ?? committed.digest;
  run.emit({ type: 'image-done', image: planned.image, digest });
  return digest;
}

async function putManifests(run: Run, planned: PlannedImage): Promise<void> {
  const { name, steps, attached, instead } = planned;
  for (const step of steps) {
    await run.limits.sink.map(
      step,
      async (manifest) => {
        try {
          await write(run, planned, { manifest, work: (call) => run.sink.putManifest(name, manifest, call) });
        } catch (error) {
          if (!instead || !isIndexType(manifest.mediaType) || !refusesSparse(run.sink, error)) throw error;
          run.refusesSparse = true;
        }
      },
      run.signal,
    );
  }
  const { digest: _, ...bare } = name;
  for (const { manifest, tag } of attached) {
    const work = (call: CallOptions) =>
      tag ? run.sink.commit({ ...bare, tag }, manifest, call) : run.sink.putManifest(name, manifest, call);
    await write(run, planned, { manifest, work });
  }
}

/**
 * Puts the root under the name. If the root is a sparse index that the sink refuses, puts what is wanted of it: the one image, as skopeo does, or an index of
 * several.
 */
async function commit(run: Run, planned: PlannedImage): Promise<RawManifest> {
  const { name, image, root, instead } = planned;
  const point = (manifest: RawManifest) =>
    write(run, planned, { manifest, work: (call) => run.sink.commit(name, manifest, call) });
  if (!instead || !run.refusesSparse) {
    try {
      await point(root);
      return root;
    } catch (error) {
      if (!instead || !refusesSparse(run.sink, error)) throw error;
      run.refusesSparse = true;
    }
  }
  const takes = run.sink.wants.indexes === 'none' ? 'holds no indexes' : 'takes only complete indexes';
  run.emit({ type: 'note', text: `${image} is there for ${platformsIn(instead)}: ${run.sink.label} ${takes}` });
  await point(instead);
  return instead;
}

function refusesSparse(sink: ImageSink, error: unknown): boolean {
  return sink.wants.indexes !== 'sparse' && isImagesError(error, 'MANIFEST_BLOB_UNKNOWN', 'MANIFEST_INVALID');
}

interface Write {
  readonly manifest: RawManifest;
  work(call: CallOptions): Promise<void>;
}

async function write(run: Run, planned: PlannedImage, { manifest, work }: Write): Promise<void> {
  try {
    await work({ signal: run.signal });
  } catch (error) {
    const what = `manifest ${manifest.digest}`;
    const hint = refusesForeign(manifest, error) ? ALLOW_URLS : undefined;
    throw failureOf(error, {
      image: planned.image,
      end: 'destination',
      label: run.sink.label,
      what,
      ...(hint && { hint }),
    });
  }
}

const ALLOW_URLS =
  'It has foreign layers: the registry must allow the URLs where they are published (docker-registry: validation.manifests.urls.allow).';

/** docker-registry allows no URLs by default. Its answer is that the blob is unknown. */
function refusesForeign(manifest: RawManifest, error: unknown): boolean {
  if (!isImagesError(error, 'MANIFEST_BLOB_UNKNOWN', 'MANIFEST_INVALID')) return false;
  const decoded = decodeManifest(manifest);
  return decoded.kind === 'image' && decoded.layers.some(isElsewhere);
}

function imageRun(run: Run, planned: PlannedImage): ImageRun & { fail(error: unknown): void } {
  let begun = false;
  let failure: { readonly error: unknown } | undefined;
  return {
    planned,
    begin() {
      if (!begun) run.emit({ type: 'image', image: planned.image });
      begun = true;
    },
    fail(error) {
      failure ??= { error };
      run.fail(error);
    },
    throwIfFailed() {
      if (failure) throw failure.error;
    },
  };
}

/** Large images begin first, so that none runs alone at the end. The blobs of an image stay together, so that it is complete early. */
function biggestFirst(plan: CopyPlan): readonly PlannedImage[] {
  const bytes = (image: PlannedImage) => image.lacking.reduce((sum, blob) => sum + blob.size, 0);
  return plan.images.toSorted((a, b) => bytes(b) - bytes(a));
}

interface Turn {
  readonly before: Promise<void>;
  end(): void;
}

/** Two images of different hosts can have the same path and tag. The later one is always tagged last, however long each takes. */
function takeTurns(images: readonly PlannedImage[]): ReadonlyMap<PlannedImage, Turn> {
  const last = new Map<string, Promise<void>>();
  return new Map(
    images.map((image) => {
      const key = `${image.name.path}:${image.name.tag ?? ''}`;
      const { promise, resolve } = Promise.withResolvers<void>();
      const before = last.get(key) ?? Promise.resolve();
      last.set(key, promise);
      return [image, { before, end: resolve }];
    }),
  );
}
