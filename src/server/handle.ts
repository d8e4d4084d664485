// The listener for node:http: one message → one request value → one reply, with one event about it. Nothing a client sends ends in an exception.
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import type { Registry } from '../registry/contract.ts';
import { createActiveUploads } from './active-uploads.ts';
import { answer } from './answer.ts';
import { type MessageBody, messageBody } from './body.ts';
import type { Call } from './call.ts';
import type { OnServerEvent } from './events.ts';
import { errorReply, isRefusal, type Reply } from './reply.ts';
import { parseRequest, type RegistryRequest } from './request.ts';
import { sendReply } from './send.ts';

export interface HandleOptions {
  readonly registry: Registry;
  readonly onEvent: OnServerEvent;
  /** Milliseconds without a byte, either way, after which a transfer is given up; what came of an upload is kept. */
  readonly idle: number;
}

/** How long a client may go on sending a body that has been refused; it reads the answer when it is through, or its connection ends. */
const LINGER = 10_000;

const COMMON_HEADERS = {
  'Docker-Distribution-Api-Version': 'registry/2.0',
  // Blobs are anything: no browser shall take one for a page.
  'X-Content-Type-Options': 'nosniff',
};

export function createRequestListener({ registry, onEvent, idle }: HandleOptions): RequestListener {
  const uploads = createActiveUploads();
  return (message, response) => {
    const started = performance.now();
    const { method = 'GET', url = '/' } = message;
    const gone = new AbortController();
    const body = messageBody(message, response, { idle, onBrokenOff: () => gone.abort() });
    let sent = 0;
    let code: string | undefined;
    response.once('close', () => {
      if (!response.writableFinished) gone.abort();
      onEvent({
        type: 'request',
        method,
        url,
        status: response.statusCode,
        ...(code !== undefined && { code }),
        sent,
        received: body.received(),
        duration: performance.now() - started,
        remote: message.socket.remoteAddress ?? '',
      });
    });
    const call: Call = { registry, headers: message.headers, body, uploads, signal: gone.signal };
    const fail = (error: unknown) => {
      // Whoever went away needs no answer, and their going is no failure of ours.
      if (!isRefusal(error) && !gone.signal.aborted) onEvent({ type: 'failure', method, url, error });
    };
    void replyTo(method, url, call)
      .catch((error: unknown) => {
        fail(error);
        return errorReply(error);
      })
      .then(async (reply) => {
        code = reply.code;
        endBodyGracefully(message, response, body);
        await sendReply(response, withCommonHeaders(reply), {
          head: method === 'HEAD',
          idle,
          signal: gone.signal,
          onSent: (bytes) => {
            sent += bytes;
          },
        });
      })
      .catch(fail);
  };
}

async function replyTo(method: string, url: string, call: Call): Promise<Reply> {
  const request = parseRequest(method, url);
  const reply = await answer(request, call);
  const host = hostOf(request);
  return host === undefined ? reply : { ...reply, headers: { ...reply.headers, 'OCI-Namespace': host } };
}

/** The host that an answer was looked up for (distribution specification, "Registry Proxying"). */
function hostOf(request: RegistryRequest): string | undefined {
  return 'host' in request ? request.host : undefined;
}

function withCommonHeaders(reply: Reply): Reply {
  return { ...reply, headers: { ...COMMON_HEADERS, ...reply.headers } };
}

/**
 * Deals with a body that was refused unread: closing at once would reset the connection under the client and lose the answer,
 * reading on for ever would let it send for ever.
 */
function endBodyGracefully(message: IncomingMessage, response: ServerResponse, body: MessageBody): void {
  if (message.complete) return;
  if (body.isHeldBack()) {
    response.shouldKeepAlive = false;
    return;
  }
  message.resume();
  const timer = setTimeout(() => message.destroy(), LINGER);
  timer.unref();
  message.once('close', () => clearTimeout(timer));
}
