// Blobs sent before there is a plan: a layer that is compressed for its destination goes there while the next one is compressed. What fails here is done again, and then
// said, when the plan asks for it; what fails for good ends the plan.
import { createLimiter } from '../io/limiter.ts';
import { tapped } from '../io/verify.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import type { Digest } from '../oci/digest.ts';
import { type ErrorCode, isImagesError } from '../oci/errors.ts';
import { formatReference, type Reference } from '../oci/reference.ts';
import type { CallOptions, OpenContent } from '../registry/contract.ts';
import type { ImageSink } from '../transports/contract.ts';
import type { OnCopyEvent } from './events.ts';
import { failureOf } from './failure.ts';

/** Disposing ends what is under way, and waits for it. */
export interface Ahead extends AsyncDisposable {
  /** For the plan, with which sending ahead ends, and its execution: what is under way is waited for, and not sent twice. */
  readonly sink: ImageSink;
  /** Of the plan and its execution: with what was sent already counted as bytes of this run, which it is. */
  readonly onEvent: OnCopyEvent;
  /** What was sent to its end: the bytes that were not there before. */
  readonly sent: { readonly blobs: number; readonly bytes: number };
  send(blob: Descriptor, open: OpenContent): void;
  /** For the plan. Aborted, with that error, where the destination fails for good: nothing more need be compressed for it. */
  readonly signal: AbortSignal;
}

export interface AheadOptions extends CallOptions {
  readonly onEvent?: OnCopyEvent;
}

/** Blobs that are sent at a time. */
const AT_A_TIME = 3;
/** Of a destination that is not there, or would say the same again. */
const FOR_GOOD: readonly ErrorCode[] = [
  ...(['DENIED', 'NAME_INVALID', 'NAME_UNKNOWN', 'UNAUTHORIZED', 'UNREACHABLE', 'UNSUPPORTED'] as const),
];

/** `name` is the image's at the destination. */
export function sendAhead(sink: ImageSink, name: Reference, options: AheadOptions): Ahead {
  const emit: OnCopyEvent = (event) => options.onEvent?.(event);
  const aborter = new AbortController();
  const signal = options.signal ? AbortSignal.any([options.signal, aborter.signal]) : aborter.signal;
  const limit = createLimiter(AT_A_TIME);
  /** True where the blob is there in the end. */
  const sends = new Map<Digest, Promise<boolean>>();
  const sent = { blobs: 0, bytes: 0 };
  /** Where one could not be sent, the others would only add to what is waited for; and what is known before the plan is the plan's. */
  let ended = false;

  const put = async (blob: Descriptor, open: OpenContent): Promise<void> => {
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
    if (begun === undefined) return;
    sent.blobs++;
    sent.bytes += size - begun;
    emit({ type: 'blob-done', digest });
  };

  const failed = (digest: Digest, error: unknown): void => {
    ended = true;
    if (!isImagesError(error, ...FOR_GOOD)) return;
    const image = formatReference(name);
    aborter.abort(failureOf(error, { image, end: 'destination', label: sink.label, what: `blob ${digest}` }));
  };

  return {
    sent,
    signal,
    send(blob, open) {
      if (ended || sends.has(blob.digest)) return;
      const sending = limit(() => put(blob, open), signal).then(
        () => true,
        (error: unknown) => {
          failed(blob.digest, error);
          return false;
        },
      );
      sends.set(blob.digest, sending);
    },
    sink: {
      ...sink,
      missing(...question) {
        ended = true;
        return sink.missing(...question);
      },
      async putBlob(to, blob, open, call) {
        if (!(await sends.get(blob.digest))) await sink.putBlob(to, blob, open, call);
      },
    },
    onEvent(event) {
      if (event.type !== 'plan') return emit(event);
      const { blobs, bytes, held } = event;
      emit({ ...event, blobs: blobs + sent.blobs, bytes: bytes + sent.bytes, held: held - sent.bytes });
    },
    async [Symbol.asyncDispose]() {
      aborter.abort();
      await Promise.all(sends.values());
    },
  };
}
