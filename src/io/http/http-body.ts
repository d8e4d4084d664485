// The two bodies of an HTTP exchange: sent as fast as the host takes them, read as fast as the consumer wants them, and aborted after too long a silence.
import type { ClientRequest, IncomingMessage } from 'node:http';
import { type FailedRequest, isImagesError } from '../../oci/errors.ts';
import type { Bytes } from '../streams/bytes.ts';
import { httpFailure } from './http-failure.ts';
import { createWatchdog, silence, tooSlow, type Watchdog } from './watchdog.ts';

export interface Pace {
  readonly watch: Watchdog;
  /** Milliseconds from the end of the request's body to the answer. */
  readonly within: number;
  readonly host: string;
  /** Milliseconds during which the host may accept nothing. */
  readonly idle: number;
  /** Bytes a second that the host must accept at least, measured over each period of `idle` milliseconds spent waiting for it. */
  readonly slowest?: number | undefined;
  /** Whether to keep sending when an answer begins before the body's end. After a refusal, sending always stops. */
  readonly duplex: boolean;
}

/** Sends a stream; stops if an answer comes before its end (see `duplex`). Only time spent waiting for the host counts: a slow stream is not its fault. */
export async function sendStream(message: ClientRequest, body: Bytes, pace: Pace): Promise<void> {
  const { host, watch, within, idle, slowest = 0, duplex } = pace;
  let stop = message.destroyed;
  let answered = false;
  let wake = () => {};
  const halt = () => {
    stop = true;
    wake();
  };
  message.once('response', ({ statusCode }) => {
    answered = true;
    if (!duplex || (statusCode ?? 500) >= 400) halt();
  });
  message.once('close', halt);
  message.on('drain', () => wake());
  if (stop) return;
  let waited = 0;
  let taken = 0;
  for await (const chunk of body) {
    if (stop) return;
    taken += chunk.length;
    if (message.write(chunk)) continue;
    const since = performance.now();
    const drained = new Promise<void>((resolve) => {
      wake = resolve;
    });
    watch.expect(idle);
    if (!stop) await drained;
    watch.done();
    if (stop) return;
    waited += performance.now() - since;
    if (waited < idle) continue;
    if (taken * 1000 < slowest * waited) throw tooSlow(host, `taken only ${taken} bytes`, waited);
    waited = 0;
    taken = 0;
  }
  if (stop) return;
  if (!answered) watch.expect(within);
  message.end();
}

export interface Reading {
  readonly host: string;
  /** The request, for error messages. */
  readonly request: () => FailedRequest;
  readonly signal: AbortSignal | undefined;
  /** Milliseconds that may pass between two chunks. */
  readonly idle: number;
  /** Bytes a second that must come at least, measured over each period of `idle` milliseconds spent waiting. */
  readonly slowest?: number | undefined;
}

/** Reads a body. A body that nobody begins to read is aborted after a while, because it holds a connection; who reads it later gets an error. */
export function readBody(answer: IncomingMessage, reading: Reading): AsyncGenerator<Uint8Array> {
  const unclaimed = setTimeout(() => answer.destroy(), reading.idle);
  unclaimed.unref();
  answer.once('close', () => clearTimeout(unclaimed));
  return readClaimed(answer, reading, () => clearTimeout(unclaimed));
}

async function* readClaimed(
  answer: IncomingMessage,
  { host, request, signal, idle, slowest = 0 }: Reading,
  claim: () => void,
): AsyncGenerator<Uint8Array> {
  claim();
  const watch = createWatchdog((milliseconds) => answer.destroy(silence(host, milliseconds)));
  try {
    // Only time spent waiting for bytes counts: a slow consumer is not the host's fault.
    let since = performance.now();
    let waited = 0;
    let came = 0;
    watch.expect(idle);
    for await (const chunk of answer) {
      watch.done();
      waited += performance.now() - since;
      came += chunk.length;
      if (waited >= idle) {
        if (came * 1000 < slowest * waited) throw tooSlow(host, `sent only ${came} bytes`, waited);
        waited = 0;
        came = 0;
      }
      yield chunk;
      since = performance.now();
      watch.expect(idle);
    }
  } catch (error) {
    signal?.throwIfAborted();
    const failure = httpFailure(host, error);
    throw isImagesError(failure) ? failure.during(request()) : failure;
  } finally {
    watch.done();
  }
}
