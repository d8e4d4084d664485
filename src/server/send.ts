// Writes a reply to a connection: with backpressure, no body for HEAD, and never fewer bytes than announced without breaking off.
import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import type { Bytes } from '../registry/contract.ts';
import type { Reply } from './reply.ts';

export interface SendOptions {
  readonly head: boolean;
  /** Milliseconds without progress after which a client that does not read is given up. */
  readonly idle: number;
  readonly signal: AbortSignal;
  /** Called with the length of each piece of the body that was written. */
  readonly onSent: (bytes: number) => void;
}

/** A source that fails ends the connection: the client sees a body cut short. */
export async function sendReply(response: ServerResponse, reply: Reply, options: SendOptions): Promise<void> {
  const { body } = reply;
  const length = body instanceof Uint8Array ? { 'Content-Length': body.length } : emptyLength(reply);
  response.writeHead(reply.status, { ...length, ...reply.headers } as Record<string, string | number | string[]>);
  if (options.head || body === undefined) {
    response.end();
    return;
  }
  if (body instanceof Uint8Array) {
    response.end(body);
    options.onSent(body.length);
    return;
  }
  response.socket?.setTimeout(options.idle);
  try {
    const sent = await writeAll(response, body, options);
    if (sent !== Number(reply.headers?.['Content-Length'])) throw new Error(`blob ended after ${sent} bytes`);
    response.end();
  } catch (error) {
    response.destroy();
    throw error;
  }
}

async function writeAll(response: ServerResponse, body: Bytes, { signal, onSent }: SendOptions): Promise<number> {
  let sent = 0;
  // Leaving the loop returns the source, so the file is closed as soon as the client is gone.
  for await (const chunk of body) {
    signal.throwIfAborted();
    const isRoomLeft = response.write(chunk);
    sent += chunk.length;
    onSent(chunk.length);
    if (!isRoomLeft) await once(response, 'drain', { signal });
  }
  return sent;
}

function emptyLength(reply: Reply): Readonly<Record<string, number>> {
  const isBodiless = reply.status === 204 || reply.status === 304;
  return isBodiless || reply.body !== undefined ? {} : { 'Content-Length': 0 };
}
