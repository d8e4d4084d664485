// The bodies of one HTTP exchange: sent as fast as they are taken, read as fast as they are wanted; silence ends them.
import type { ClientRequest, IncomingMessage } from 'node:http';
import { type FailedRequest, isImagesError } from '../../oci/errors.ts';
import type { Bytes } from '../streams/bytes.ts';
import { httpFailure } from './http-failure.ts';
import { createWatchdog, silence, tooSlow, type Watchdog } from './watchdog.ts';

export interface Pace {
  readonly watch: Watchdog;
  /** Milliseconds from the end of the body to the answer. */
  readonly within: number;
  readonly host: string;
  /** Milliseconds that the other side may take none of it. */
  readonly idle: number;
  /** Bytes a second that it takes at least, over each `idle` for which it is waited for. */
  readonly slowest?: number | undefined;
  /** An answer that begins before the end is no reason to stop, unless it is a refusal. */
  readonly duplex: boolean;
}

/** Sends a stream; stops when an answer comes before its end (see `duplex`). A slow stream is not a slow host: time counts only while the host takes nothing. */
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
  /** For errors. */
  readonly request: () => FailedRequest;
  readonly signal: AbortSignal | undefined;
  /** Milliseconds between two chunks. */
  readonly idle: number;
  /** Bytes a second, over each `idle` of waiting. */
  readonly slowest?: number | undefined;
}

/** A body that nobody begins to read must not hold its connection for ever; one who comes later finds it broken off. */
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
    // Time counts only while bytes are waited for: a slow reader is not a slow host.
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
