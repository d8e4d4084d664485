// Blobs sent before there is a plan: a layer that is compressed for its destination (transports/compressing) goes there while the next one is compressed.
//
//   sending ──── the plan asks what is missing ───▶ planned: nothing more is begun; the plan waits for what is under way
//      │                                               ▲
//      │ a blob fails                                  │
//      ▼                                               │
//   broken: nothing more is begun ─────────────────────┘ what failed is sent again by the plan, which reports its error
//      │ it fails permanently (FOR_GOOD)
//      ▼
//   `signal` is aborted with that error, which ends the planning
import { createLimiter } from '../io/concurrency/limiter.ts';
import { untilAborted } from '../io/concurrency/until-aborted.ts';
import type { CallOptions, OpenContent } from '../io/streams/bytes.ts';
import { tapped } from '../io/streams/verify.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import { type Digest, digestOf } from '../oci/digest.ts';
import { type ErrorCode, isImagesError } from '../oci/errors.ts';
import { OCI_EMPTY } from '../oci/media-types.ts';
import { formatReference } from '../oci/reference.ts';
import { FORWARD, forwarding } from '../registry/policies/forwarding.ts';
import type { ImageSink } from '../transports/contract.ts';
import { aheadTotals } from './ahead-totals.ts';
import type { CopyImage } from './copy-plan.ts';
import type { OnCopyEvent } from './events.ts';
import { failureOf } from './failure.ts';

/** Disposing aborts what is under way, and waits for its end. */
export interface Ahead extends AsyncDisposable {
  /** The sink for the plan and its execution. Sending ahead ends when the plan asks what is missing. Blobs under way are waited for and not sent twice. */
  readonly sink: ImageSink;
  /** The event handler for the plan and its execution: adds what was sent ahead to the totals of the run. */
  readonly onEvent: OnCopyEvent;
  /** Blobs that were sent completely, and the bytes of them that the destination lacked. */
  readonly sent: { readonly blobs: number; readonly bytes: number };
  send(blob: Descriptor, open: OpenContent): void;
  /** Checks early whether the destination answers, because compressing the first layer may take minutes. */
  ask(): void;
  /** The signal for the plan. Aborted with the error if the destination fails permanently, so that nothing more is compressed for it. */
  readonly signal: AbortSignal;
}

/** The same fields as for the plan. */
export type NamedImage = Pick<CopyImage, 'name' | 'label'>;

export interface AheadOptions extends CallOptions {
  readonly onEvent?: OnCopyEvent;
}

/** How many blobs are sent at a time. */
const AT_A_TIME = 3;
/** A well-known blob to ask for. */
const EMPTY: Descriptor = { mediaType: OCI_EMPTY, digest: digestOf(Buffer.from('{}')), size: 2 };
/** Permanent errors: the destination is unreachable, or would give the same answer again. */
const FOR_GOOD: readonly ErrorCode[] = [
  ...(['DENIED', 'NAME_INVALID', 'NAME_UNKNOWN', 'NO_ACCESS', 'NO_SPACE'] as const),
  ...(['READ_ONLY', 'SIZE_INVALID', 'UNAUTHORIZED', 'UNREACHABLE', 'UNSUPPORTED'] as const),
];

/** Before the first blob, a destination that does not answer in time counts as unreachable, too. */
const NOT_THERE: readonly ErrorCode[] = [...FOR_GOOD, 'TIMEOUT'];

export function sendAhead(sink: ImageSink, image: NamedImage, options: AheadOptions): Ahead {
  const { name } = image;
  const emit: OnCopyEvent = (event) => options.onEvent?.(event);
  const totals = aheadTotals(emit);
  const aborter = new AbortController();
  const signal = options.signal ? AbortSignal.any([options.signal, aborter.signal]) : aborter.signal;
  const limit = createLimiter(AT_A_TIME);
  /** For each blob, whether it was stored in the end. */
  const sends = new Map<Digest, Promise<boolean>>();
  /** A blob could not be sent. Sending others would only make the plan wait longer. */
  let broken = false;
  let asked: Promise<unknown> | undefined;

  async function put(blob: Descriptor, open: OpenContent): Promise<boolean> {
    if (broken) return false;
    const content = reported(blob, open, emit);
    await sink.putBlob(name, blob, content.open, { signal });
    const from = content.openedFrom();
    if (from !== undefined) totals.add(blob.digest, blob.size - from);
    return true;
  }

  function endIfPermanent(error: unknown, what: string, permanent: readonly ErrorCode[]): void {
    if (!isImagesError(error, ...permanent)) return;
    const label = image.label ?? formatReference(name);
    aborter.abort(failureOf(error, { image: label, end: 'destination', label: sink.label, what }));
  }

  return {
    sent: totals.sent,
    signal,
    onEvent: totals.onEvent,
    sink: sinkForPlan(sink, { onAsked: () => totals.plan(), sends }),
    ask() {
      if (totals.isPlanned) return;
      asked ??= sink
        .missing(name, [EMPTY], { signal })
        .catch((error: unknown) => endIfPermanent(error, 'the question what is missing', NOT_THERE));
    },
    send(blob, open) {
      if (totals.isPlanned || broken || sends.has(blob.digest)) return;
      const attempt = () =>
        put(blob, open).catch((error: unknown) => {
          broken = true;
          endIfPermanent(error, `blob ${blob.digest}`, FOR_GOOD);
          return false;
        });
      sends.set(
        blob.digest,
        limit(attempt, signal).catch(() => false),
      );
    },
    async [Symbol.asyncDispose]() {
      aborter.abort();
      await Promise.all([asked, ...sends.values()]);
    },
  };
}

/** Content that emits where it was opened, and how far it has come. */
function reported({ digest, size }: Descriptor, open: OpenContent, emit: OnCopyEvent) {
  let openedFrom: number | undefined;
  const watched: OpenContent = async (from) => {
    openedFrom = from;
    emit({ type: 'blob', digest, size, from });
    let bytes = from;
    return tapped(await open(from), ({ length }) => {
      bytes += length;
      emit({ type: 'progress', digest, bytes });
    });
  };
  return { open: watched, openedFrom: () => openedFrom };
}

interface SentAhead {
  /** The plan asks what is missing: nothing more is begun. */
  onAsked(): void;
  readonly sends: ReadonlyMap<Digest, Promise<boolean>>;
}

/** The sink for the plan and its execution: waits for blobs that are under way, and sends those that failed once more. */
function sinkForPlan(sink: ImageSink, { onAsked, sends }: SentAhead): ImageSink {
  return forwarding<ImageSink>(sink, {
    label: FORWARD,
    wants: FORWARD,
    nameThere: FORWARD,
    admit: FORWARD,
    expect: FORWARD,
    missingManifests: FORWARD,
    mountBlob: FORWARD,
    putManifest: FORWARD,
    commit: FORWARD,
    committed: FORWARD,
    finish: FORWARD,
    [Symbol.asyncDispose]: FORWARD,
    missing(...question) {
      onAsked();
      return sink.missing(...question);
    },
    async putBlob(to, blob, open, call) {
      const sending = sends.get(blob.digest);
      if (!sending || !(await untilAborted(sending, call?.signal))) await sink.putBlob(to, blob, open, call);
    },
  });
}
