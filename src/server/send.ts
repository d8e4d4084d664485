// Writes a reply to a connection: with backpressure, without a body for HEAD, and closing the connection if there are fewer bytes than announced.
import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { type Bytes, canFill, type FillingBytes, wholeOf } from '../io/streams/bytes.ts';
import { breakAnswer, limitSilence, setReason, unsentBytes } from './either-http.ts';
import type { ServerLimits } from './limits.ts';
import { type Transfer, watchProgress } from './progress.ts';
import type { Reply } from './reply.ts';
import { sendBuffers } from './send-buffers.ts';
import { whenClosed } from './when-closed.ts';

export interface SendOptions {
  readonly head: boolean;
  readonly limits: Pick<ServerLimits, 'idle' | 'slow' | 'slowBytes'>;
  readonly signal: AbortSignal;
  /** Called with the length of each written piece of the body. */
  readonly onSent: (bytes: number) => void;
}

/** Errors of writing to a connection. They come before anything else says that the client has gone. */
const lostConnections = new WeakSet<object>();

/** Whether an answer failed because its client has gone. */
export function isConnectionLost(error: unknown): boolean {
  return typeof error === 'object' && error !== null && lostConnections.has(error);
}

/** In bytes. Every connection accepts this much at once. */
const SMALL = 64 * 1024;

/** If the source fails the connection is closed, so that the client notices the truncation. */
export async function sendReply(response: ServerResponse, reply: Reply, options: SendOptions): Promise<void> {
  const { body } = reply;
  try {
    const length = body instanceof Uint8Array ? { 'Content-Length': body.length } : emptyLength(reply);
    if (reply.reason !== undefined) setReason(response, reply.reason);
    response.writeHead(reply.status, { ...length, ...reply.headers } as Record<string, string | number | string[]>);
    // A client that does not read is disconnected, also if the answer is small.
    limitSilence(response, options.limits.idle);
    if (options.head || body === undefined) response.end();
    else if (reply.isEndless && !(body instanceof Uint8Array)) await sendEndless(response, body, options);
    else if (body instanceof Uint8Array && body.length <= SMALL) sendSmall(response, body, options);
    else if (body instanceof Uint8Array)
      await sendStream(response, { body: slicesOf(body), length: body.length }, options);
    else await sendBody(response, { body, length: Number(reply.headers?.['Content-Length']) }, options);
  } catch (error) {
    breakAnswer(response);
    throw error;
  }
}

function sendSmall(response: ServerResponse, body: Uint8Array, { onSent }: SendOptions): void {
  response.end(body);
  onSent(body.length);
}

/** What is in memory anyway, as small blobs are, is sent in one piece. */
async function sendBody(
  response: ServerResponse,
  { body, length }: { readonly body: Bytes; readonly length: number },
  options: SendOptions,
): Promise<void> {
  const whole = wholeOf(body);
  if (whole?.length === length && length <= SMALL) sendSmall(response, whole, options);
  else await sendStream(response, { body, length }, options);
}

/** In slices, so that progress can be observed. */
async function* slicesOf(body: Uint8Array): Bytes {
  for (let at = 0; at < body.length; at += SMALL) yield body.subarray(at, at + SMALL);
}

async function sendStream(
  response: ServerResponse,
  { body, length }: { readonly body: Bytes; readonly length: number },
  { limits, signal, onSent }: SendOptions,
): Promise<void> {
  let sent = 0;
  const transfer: Transfer = {
    moved: () => sent - unsentBytes(response),
    waitsForClient: () => response.writableLength > 0,
    giveUp: () => breakAnswer(response),
  };
  const watch = watchProgress(transfer, limits);
  // Watched until the last byte has been sent.
  whenClosed(response, () => watch[Symbol.dispose]());
  const count = (bytes: number) => {
    sent += bytes;
    onSent(bytes);
  };
  if (canFill(body)) await sendFilled(response, body, { length, signal, onSent: count });
  else await sendChunks(response, body, { signal, onSent: count });
  if (sent !== length) throw new Error(`blob ended after ${sent} bytes`);
  response.end();
}

/** Each piece at once. A client that does not read is disconnected as others are (`limitSilence`). */
async function sendEndless(response: ServerResponse, body: Bytes, { signal, onSent }: SendOptions): Promise<void> {
  await sendChunks(response, body, { signal, onSent });
  response.end();
}

type Watched = Pick<SendOptions, 'signal' | 'onSent'>;

async function sendChunks(response: ServerResponse, body: Bytes, { signal, onSent }: Watched): Promise<void> {
  // Leaving the loop closes the source, so the file is closed as soon as the client has gone.
  for await (const chunk of body) {
    signal.throwIfAborted();
    const isRoomLeft = response.write(chunk);
    onSent(chunk.length);
    if (!isRoomLeft) await once(response, 'drain', { signal });
  }
}

/** One buffer is filled while another is on its way. A buffer that was on its way when its connection ended is not used again. */
async function sendFilled(
  response: ServerResponse,
  body: FillingBytes,
  { length, signal, onSent }: Watched & { readonly length: number },
): Promise<void> {
  let before: Promise<void> = Promise.resolve();
  // One listener for all pieces: waiting for each beside the signal would leave garbage with each.
  let leave: ((reason: unknown) => void) | undefined;
  const onAbort = () => leave?.(signal.reason);
  signal.addEventListener('abort', onAbort);
  try {
    for (let left = length; left > 0; ) {
      signal.throwIfAborted();
      const buffer = sendBuffers.take(left);
      let count = 0;
      try {
        count = await body.fill(buffer);
        if (count > 0) onSent(count);
        await before;
      } catch (error) {
        sendBuffers.give(buffer);
        throw error;
      }
      if (count === 0) {
        sendBuffers.give(buffer);
        break;
      }
      left -= count;
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      [before, leave] = [promise, reject];
      // Nobody waits for it if the source fails first.
      before.catch(() => {});
      response.write(buffer.subarray(0, count), (error) => {
        if (error) {
          lostConnections.add(error);
          return reject(error);
        }
        // The system has all of it, so the memory can be used again.
        sendBuffers.give(buffer);
        resolve();
      });
    }
    await before;
  } finally {
    signal.removeEventListener('abort', onAbort);
    await body[Symbol.asyncIterator]().return?.();
  }
}

function emptyLength(reply: Reply): Readonly<Record<string, number>> {
  const isBodiless = reply.status === 204 || reply.status === 304;
  return isBodiless || reply.body !== undefined ? {} : { 'Content-Length': 0 };
}
