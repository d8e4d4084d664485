// What an exchange was, told once it is over: for who looks for a fault. Costs a pool nothing that has no listener.
import type { Bytes } from '../streams/bytes.ts';
import { tapped } from '../streams/verify.ts';
import { describeHttpUrl, type HttpUrl } from './http-url.ts';

export interface HttpEvent {
  readonly method: string;
  /** Without user, password and query: they can be secrets. */
  readonly url: string;
  /** Absent where no answer came. */
  readonly status?: number;
  /** Bytes of the request's body that were handed over. */
  readonly sent: number;
  /** Bytes of the answer's body that were read, also those that nobody wanted: they are read to keep the connection. */
  readonly received: number;
  /** Milliseconds until the answer's body was read, or left. */
  readonly duration: number;
  /** Why no answer came, or its body broke off. */
  readonly error?: unknown;
}

export type OnHttpEvent = (event: HttpEvent) => void;

interface Asked {
  readonly method: string;
  readonly url: HttpUrl;
  readonly body?: Uint8Array | Bytes;
}

interface Answered {
  readonly status: number;
  readonly body: Bytes;
  discard(onOver?: (bytes: number) => void): void;
}

/** `send`, with one event for each request. */
export function telling<Request extends Asked, Answer extends Answered>(
  send: (request: Request) => Promise<Answer>,
  onEvent: OnHttpEvent,
): (request: Request) => Promise<Answer> {
  return async (request) => {
    const began = performance.now();
    let sent = request.body instanceof Uint8Array ? request.body.length : 0;
    let received = 0;
    let isTold = false;
    const tell = (rest: Pick<HttpEvent, 'status' | 'error'>) => {
      if (isTold) return;
      isTold = true;
      const { method, url } = request;
      onEvent({ method, url: describeHttpUrl(url), sent, received, duration: performance.now() - began, ...rest });
    };
    const { body } = request;
    const see = (chunk: Uint8Array) => {
      sent += chunk.length;
    };
    const counted =
      body === undefined || body instanceof Uint8Array ? request : { ...request, body: tapped(body, see) };
    const answer = await send(counted).catch((error: unknown) => {
      tell({ error });
      throw error;
    });
    const { status } = answer;
    if (request.method === 'HEAD') tell({ status });
    return {
      ...answer,
      body: watched(answer.body, {
        see: (chunk) => {
          received += chunk.length;
        },
        over: (error) => tell({ status, ...(error !== undefined && { error }) }),
      }),
      discard() {
        answer.discard((bytes) => {
          received += bytes;
          tell({ status });
        });
      },
    };
  };
}

interface Watch {
  see(chunk: Uint8Array): void;
  over(error?: unknown): void;
}

/** Also a body that is returned before it was begun is over then, which a generator would not notice. */
function watched(body: Bytes, { see, over }: Watch): Bytes {
  return {
    [Symbol.asyncIterator]() {
      const iterator = body[Symbol.asyncIterator]();
      return {
        async next() {
          try {
            const result = await iterator.next();
            if (result.done) over();
            else see(result.value);
            return result;
          } catch (error) {
            over(error);
            throw error;
          }
        },
        async return() {
          over();
          await iterator.return?.();
          return { done: true, value: undefined };
        },
      };
    },
  };
}
