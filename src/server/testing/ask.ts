// A plain HTTP client for tests: sends exactly the given request, over a connection of its own where it is given no agent.
import { type Agent, type IncomingHttpHeaders, request } from 'node:http';

export interface Question {
  readonly headers?: Readonly<Record<string, string | number>>;
  readonly body?: Uint8Array | string;
  /** Sends the body in pieces, without a Content-Length. */
  readonly streamed?: boolean;
  readonly agent?: Agent;
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  readonly text: string;
  readonly json: () => unknown;
}

export function ask(url: string, method: string, question: Question = {}): Promise<Answer> {
  const { headers = {}, body, streamed, agent = false } = question;
  return new Promise((resolve, reject) => {
    const isFramed = streamed || 'Content-Length' in headers || body === undefined;
    const length = isFramed ? {} : { 'Content-Length': Buffer.byteLength(body) };
    const message = request(url, { method, agent, headers: { ...length, ...headers } }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => {
        const all = Buffer.concat(chunks);
        const { statusCode: status = 0, headers } = response;
        resolve({
          status,
          headers,
          body: all,
          get text() {
            return all.toString();
          },
          json: () => JSON.parse(all.toString()),
        });
      });
    });
    message.on('error', reject);
    if (streamed) message.flushHeaders();
    message.end(body);
  });
}
