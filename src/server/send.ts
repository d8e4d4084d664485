// Writes a reply to a connection: with backpressure, no body for HEAD, and never fewer bytes than announced without breaking off.
import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import type { Bytes } from '../io/streams/bytes.ts';
import type { ServerLimits } from './limits.ts';
import { type Transfer, watchProgress } from './progress.ts';
import type { Reply } from './reply.ts';
import { whenClosed } from './when-closed.ts';

export interface SendOptions {
  readonly head: boolean;
  readonly limits: Pick<ServerLimits, 'idle' | 'slow' | 'slowBytes'>;
  readonly signal: AbortSignal;
  /** Called with the length of each piece of the body that was written. */
  readonly onSent: (bytes: number) => void;
}

/** What any connection takes at once. */
const SMALL = 64 * 1024;

/** A source that fails ends the connection: the client sees a body cut short. */
export async function sendReply(response: ServerResponse, reply: Reply, options: SendOptions): Promise<void> {
  const { body } = reply;
  try {
    const length = body instanceof Uint8Array ? { 'Content-Length': body.length } : emptyLength(reply);
    response.writeHead(reply.status, { ...length, ...reply.headers } as Record<string, string | number | string[]>);
    // A client that does not read is given up, also with an answer that is small.
    response.socket?.setTimeout(options.limits.idle);
    if (options.head || body === undefined) response.end();
    else if (body instanceof Uint8Array && body.length <= SMALL) sendSmall(response, body, options);
    else if (body instanceof Uint8Array)
      await sendStream(response, { body: slicesOf(body), length: body.length }, options);
    else await sendStream(response, { body, length: Number(reply.headers?.['Content-Length']) }, options);
  } catch (error) {
    response.destroy();
    throw error;
  }
}

function sendSmall(response: ServerResponse, body: Uint8Array, { onSent }: SendOptions): void {
  response.end(body);
  onSent(body.length);
}

/** So that it shows whether the client gets on with it. */
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
    moved: () => sent,
    waitsForClient: () => response.writableLength > 0,
    giveUp: () => response.destroy(),
  };
  const watch = watchProgress(transfer, limits);
  // Until the last byte has gone.
  whenClosed(response, () => watch[Symbol.dispose]());
  // Leaving the loop returns the source, so the file is closed as soon as the client is gone.
  for await (const chunk of body) {
    signal.throwIfAborted();
    const isRoomLeft = response.write(chunk);
    sent += chunk.length;
    onSent(chunk.length);
    if (!isRoomLeft) await once(response, 'drain', { signal });
  }
  if (sent !== length) throw new Error(`blob ended after ${sent} bytes`);
  response.end();
}

function emptyLength(reply: Reply): Readonly<Record<string, number>> {
  const isBodiless = reply.status === 204 || reply.status === 304;
  return isBodiless || reply.body !== undefined ? {} : { 'Content-Length': 0 };
}
