// Provides one blob for all images of a run: the first image that needs it fetches it, for the others it is mounted.
import type { Bytes } from '../io/streams/bytes.ts';
import { oneChunk } from '../io/streams/one-chunk.ts';
import { tapped } from '../io/streams/verify.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import type { Digest } from '../oci/digest.ts';
import type { Platform } from '../oci/platform.ts';
import { formatReference, type Reference } from '../oci/reference.ts';
import { mayOpenAnew } from '../registry/open-anew.ts';
import type { ImageSink } from '../transports/contract.ts';
import { partOf } from './check-images.ts';
import type { PlannedImage } from './copy-plan.ts';
import type { RequestCounter } from './counted-source.ts';
import type { NotFetched, OnCopyEvent } from './events.ts';
import { failureOf } from './failure.ts';
import type { Limits } from './limits.ts';
import type { Totals } from './totals.ts';

export interface BlobRun {
  readonly sink: ImageSink;
  readonly limits: Limits;
  readonly signal: AbortSignal;
  readonly emit: OnCopyEvent;
  readonly totals: Totals;
  readonly counter: RequestCounter;
  /** For each blob, the name under which the destination has it or is about to have it. */
  readonly holders: Map<Digest, Promise<Reference>>;
  /** Configs that planning has read. */
  readonly configs: ReadonlyMap<Digest, Uint8Array>;
}

/** An image that is being copied. */
export interface ImageRun {
  readonly planned: PlannedImage;
  /** Reports, once, that work on the image has begun. */
  begin(): void;
  /** Throws if another part of the image has failed. Blobs that are not begun yet are left to other images that need them. */
  throwIfFailed(): void;
}

/** Resolves when the destination has the blob under the image's name. */
export async function provideBlob(run: BlobRun, image: ImageRun, blob: Descriptor): Promise<void> {
  for (;;) {
    const other = run.holders.get(blob.digest);
    if (!other) {
      const mine = fetchBlob(run, image, blob).then(() => image.planned.name);
      run.holders.set(blob.digest, mine);
      await mine;
      return;
    }
    const holder = await other.catch(() => undefined);
    run.signal.throwIfAborted();
    image.throwIfFailed();
    if (holder) {
      if (!(await mountBlob(run, image, { blob, from: holder }))) await fetchBlob(run, image, blob);
      return;
    }
    // The other image has failed, and reports it. This one tries its own source.
    if (run.holders.get(blob.digest) === other) run.holders.delete(blob.digest);
  }
}

interface Mount {
  readonly blob: Descriptor;
  readonly from: Reference;
}

async function mountBlob({ sink, limits, signal, emit }: BlobRun, image: ImageRun, mount: Mount): Promise<boolean> {
  const { name } = image.planned;
  try {
    const mounted = await limits.sink(() => sink.mountBlob(name, mount.blob, mount.from, { signal }), signal);
    const { digest, size } = mount.blob;
    const { image: text } = image.planned;
    if (mounted) {
      emit({ type: 'not-fetched', image: text, what: 'blob', digest, size, why: 'mounted' });
      emit({ type: 'blob-done', digest });
    } else emit({ type: 'not-mounted', image: text, digest, from: formatReference(mount.from) });
    return mounted;
  } catch (error) {
    throw failureOf(error, destination(sink, image, mount.blob));
  }
}

function fetchBlob(run: BlobRun, image: ImageRun, blob: Descriptor): Promise<void> {
  const work = async () => {
    image.throwIfFailed();
    image.begin();
    await putBlob(run, image, blob);
    run.totals.done(blob);
    run.emit({ type: 'blob-done', digest: blob.digest });
  };
  return run.limits.source(image.planned.source.host, work, run.signal);
}

/** The sink opens the blob if it needs it, and once more from byte 0 if the part that an earlier run left proves to be wrong. */
async function putBlob(run: BlobRun, image: ImageRun, blob: Descriptor): Promise<void> {
  const { sink, signal } = run;
  const { name, image: text, source } = image.planned;
  const { takesAgain: opensAnew = true } = sink.wants;
  let wasOpened = false;
  const notFetched = (why: NotFetched) =>
    run.emit({ type: 'not-fetched', image: text, what: 'blob', digest: blob.digest, size: blob.size, why });
  let isMounted = false;
  const onMount = (from: string, mounted: boolean) => {
    isMounted = mounted;
    if (!mounted) run.emit({ type: 'not-mounted', image: text, digest: blob.digest, from });
  };
  let atSource: { readonly error: unknown } | undefined;
  const failed = (error: unknown) => {
    atSource = { error };
  };
  const open = async (from: number): Promise<Bytes> => {
    atSource = undefined;
    wasOpened = true;
    run.totals.opened(blob, from);
    run.emit({ type: 'blob', digest: blob.digest, size: blob.size, from });
    if (from >= blob.size) return nothing();
    const known = run.configs.get(blob.digest);
    if (known) notFetched('planned');
    else run.counter.requests++;
    let bytes = from;
    const see = (chunk: Uint8Array) => {
      bytes += chunk.length;
      run.totals.arrived(blob.digest, chunk.length);
      run.emit({ type: 'progress', digest: blob.digest, bytes });
    };
    try {
      const body = known ? oneChunk(known.subarray(from)) : await source.blob(blob, from, { signal, opensAnew });
      return tapped(body, see, failed);
    } catch (error) {
      failed(error);
      throw error;
    }
  };
  try {
    await sink.putBlob(name, blob, open, { signal, onMount });
    if (!wasOpened) notFetched(isMounted ? 'remembered' : 'found');
  } catch (error) {
    if (!atSource) throw failureOf(error, destination(sink, image, blob));
    signal.throwIfAborted();
    // The source then reads from its next mirror. Each mirror is asked once, so the recursion ends.
    if (opensAnew && mayOpenAnew(atSource.error)) return putBlob(run, image, blob);
    const what = partOf('blob', blob.digest, platformOf(image.planned, blob));
    throw failureOf(atSource.error, { image: text, end: 'source', label: source.label, what });
  }
}

/** The platform of the image to which the blob belongs, if its index states one. */
function platformOf({ images }: PlannedImage, { digest }: Descriptor): Platform | undefined {
  const whole = images.find(({ manifest }) =>
    [manifest.config, ...manifest.layers].some((part) => part.digest === digest),
  );
  return whole?.child?.platform;
}

async function* nothing(): Bytes {}

function destination(sink: ImageSink, image: ImageRun, blob: Descriptor) {
  return { image: image.planned.image, end: 'destination', label: sink.label, what: `blob ${blob.digest}` } as const;
}
