// The plan of a copy. Before the first byte of a blob is fetched, every manifest is read and the size of every blob is known.
import { addAll } from '../oci/add-all.ts';
import type { Digest } from '../oci/digest.ts';
import { ImagesError, isImagesError } from '../oci/errors.ts';
import type { RawManifest } from '../oci/manifest.ts';
import { formatReference } from '../oci/reference.ts';
import type { ImageSink } from '../transports/contract.ts';
import { assemblePlan } from './assemble-plan.ts';
import type { CopyImage, CopyPlan, FailedImage, PlannedImage, PlanOptions } from './copy-plan.ts';
import type { RequestCounter } from './counted-source.ts';
import { asItStands } from './failure.ts';
import { type PlanOutcome, planImage } from './plan-image.ts';
import { type RunControl, runControl } from './run-control.ts';

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
  return assemblePlan(distinct, failed, { configs: await resolved(configs), requestsMade: counter.requests });
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

function failedImage({ name, label }: CopyImage, error: unknown): FailedImage {
  if (!isImagesError(error)) throw error;
  return { name, image: label ?? formatReference(name), error };
}
