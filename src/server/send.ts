// Writes a reply to a connection: with backpressure, without a body for HEAD, and closing the connection if there are fewer bytes than announced.
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
  /** Called with the length of each written piece of the body. */
  readonly onSent: (bytes: number) => void;
}

/** In bytes. Every connection accepts this much at once. */
const SMALL = 64 * 1024;

/** If the source fails the connection is closed, so that the client notices the truncation. */
export async function sendReply(response: ServerResponse, reply: Reply, options: SendOptions): Promise<void> {
  const { body } = reply;
  try {
    const length = body instanceof Uint8Array ? { 'Content-Length': body.length } : emptyLength(reply);
    response.writeHead(reply.status, { ...length, ...reply.headers } as Record<string, string | number | string[]>);
    // A client that does not read is disconnected, also if the answer is small.
    response.socket?.setTimeout(options.limits.idle);
    if (options.head || body === undefined) response.end();
    else if (body instanceof Uint8Array && body.length <= SMALL) sendSmall(response, body, options);
    else if (body instanceof Uint8Array)
      await sendStream(response, { body: slicesOf(body), length: body.length }, options);
    else await sendBody(response, { body, length: Number(reply.headers?.['Content-Length']) }, options);
  } catch (error) {
    response.destroy();
    throw error;
  }
}

function sendSmall(response: ServerResponse, body: Uint8Array, { onSent }: SendOptions): void {
  response.end(body);
  onSent(body.length);
}

async function sendBody(
  response: ServerResponse,
  content: { readonly body: Bytes; readonly length: number },
  options: SendOptions,
): Promise<void> {
  if (content.length > SMALL) return await sendStream(response, content, options);
  const chunks: Uint8Array[] = [];
  for await (const chunk of content.body) chunks.push(chunk);
  const [first] = chunks;
  const whole = first && chunks.length === 1 ? first : Buffer.concat(chunks);
  if (whole.length !== content.length) throw new Error(`blob ended after ${whole.length} bytes`);
  sendSmall(response, whole, options);
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
    moved: () => sent,
    waitsForClient: () => response.writableLength > 0,
    giveUp: () => response.destroy(),
  };
  const watch = watchProgress(transfer, limits);
  // Watched until the last byte has been sent.
  whenClosed(response, () => watch[Symbol.dispose]());
  // Leaving the loop closes the source, so the file is closed as soon as the client has gone.
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
