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
import type { OnCopyEvent } from './events.ts';
import { failureOf } from './failure.ts';
import type { CopyImage } from './plan.ts';

/** Disposing ends what is under way, and waits for it. */
export interface Ahead extends AsyncDisposable {
  /** For the plan, with which sending ahead ends, and its execution: what is under way is waited for, and not sent twice. */
  readonly sink: ImageSink;
  /** Of the plan and its execution: with what was sent already counted as bytes of this run, which it is. */
  readonly onEvent: OnCopyEvent;
  /** What was sent to its end: the bytes that were not there before. */
  readonly sent: { readonly blobs: number; readonly bytes: number };
  send(blob: Descriptor, open: OpenContent): void;
  /** Whether the destination answers at all: the first layer may take minutes. */
  ask(): void;
  /** For the plan. Aborted, with that error, where the destination fails for good: nothing more need be compressed for it. */
  readonly signal: AbortSignal;
}

/** As for the plan. */
export type NamedImage = Pick<CopyImage, 'name' | 'label'>;

export interface AheadOptions extends CallOptions {
  readonly onEvent?: OnCopyEvent;
}

/** Blobs that are sent at a time. */
const AT_A_TIME = 3;
/** Something to ask for. */
const EMPTY: Descriptor = { mediaType: OCI_EMPTY, digest: digestOf(Buffer.from('{}')), size: 2 };
/** Of a destination that is not there, or would say the same again. */
const FOR_GOOD: readonly ErrorCode[] = [
  ...(['DENIED', 'NAME_INVALID', 'NAME_UNKNOWN', 'NO_ACCESS', 'NO_SPACE'] as const),
  ...(['READ_ONLY', 'SIZE_INVALID', 'UNAUTHORIZED', 'UNREACHABLE', 'UNSUPPORTED'] as const),
];

/** Before there is anything to send, one that is silent is not there either. */
const NOT_THERE: readonly ErrorCode[] = [...FOR_GOOD, 'TIMEOUT'];

export function sendAhead(sink: ImageSink, { name, label }: NamedImage, options: AheadOptions): Ahead {
  const emit: OnCopyEvent = (event) => options.onEvent?.(event);
  const aborter = new AbortController();
  const signal = options.signal ? AbortSignal.any([options.signal, aborter.signal]) : aborter.signal;
  const limit = createLimiter(AT_A_TIME);
  /** True where the blob is there in the end. */
  const sends = new Map<Digest, Promise<boolean>>();
  const sent = { blobs: 0, bytes: 0 };
  /** What comes now is the plan's: it lists what is under way, too. */
  let planned = false;
  let sentBefore = 0;
  /** Said already, and to be said by the plan's execution once more. */
  const done = new Set<Digest>();
  /** One could not be sent: the others would only add to what is waited for. */
  let broken = false;

  const put = async (blob: Descriptor, open: OpenContent): Promise<boolean> => {
    if (broken) return false;
    const { digest, size } = blob;
    let begun: number | undefined;
    const watched: OpenContent = async (from) => {
      begun = from;
      emit({ type: 'blob', digest, size, from });
      let bytes = from;
      return tapped(await open(from), ({ length }) => {
        bytes += length;
        emit({ type: 'progress', digest, bytes });
      });
    };
    await sink.putBlob(name, blob, watched, { signal });
    if (begun === undefined) return true;
    sent.blobs++;
    if (!planned) sentBefore++;
    sent.bytes += size - begun;
    if (planned) done.add(digest);
    emit({ type: 'blob-done', digest });
    return true;
  };

  let asked: Promise<unknown> | undefined;
  const failed = (what: string, error: unknown, forGood: readonly ErrorCode[] = FOR_GOOD): false => {
    if (!isImagesError(error, ...forGood)) return false;
    const image = label ?? formatReference(name);
    aborter.abort(failureOf(error, { image, end: 'destination', label: sink.label, what }));
    return false;
  };

  return {
    sent,
    signal,
    ask() {
      if (planned) return;
      asked ??= sink
        .missing(name, [EMPTY], { signal })
        .catch((error: unknown) => failed('the question what is missing', error, NOT_THERE));
    },
    send(blob, open) {
      if (planned || broken || sends.has(blob.digest)) return;
      const attempt = () =>
        put(blob, open).catch((error: unknown) => {
          broken = true;
          return failed(`blob ${blob.digest}`, error);
        });
      sends.set(
        blob.digest,
        limit(attempt, signal).catch(() => false),
      );
    },
    sink: forwarding<ImageSink>(sink, {
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
        planned = true;
        return sink.missing(...question);
      },
      async putBlob(to, blob, open, call) {
        const sending = sends.get(blob.digest);
        if (!sending || !(await untilAborted(sending, call?.signal))) await sink.putBlob(to, blob, open, call);
      },
    }),
    onEvent(event) {
      if (event.type === 'blob-done' && done.delete(event.digest)) return;
      if (event.type !== 'plan') return emit(event);
      const { blobs, bytes, held } = event;
      emit({ ...event, blobs: blobs + sentBefore, bytes: bytes + sent.bytes, held: held - sent.bytes });
    },
    async [Symbol.asyncDispose]() {
      aborter.abort();
      await Promise.all([asked, ...sends.values()]);
    },
  };
}
