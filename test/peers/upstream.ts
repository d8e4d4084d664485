// An upstream registry that misbehaves on demand: it serves fixture images (and blobs that are generated while they are sent, for sizes that do not fit in
// memory), counts what it sends, and can be slow, break off, hang, or send wrong answers.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setTimeout } from 'node:timers/promises';
import type { FixtureImage } from '../fixtures/image.ts';

export interface BlobSource {
  readonly size: number;
  chunks(from: number): Iterable<Uint8Array>;
}

export interface Behaviour {
  /** Bytes per second, for all blobs together. */
  readonly bytesPerSecond?: number;
  /** Closes the connection after this many bytes of a blob, once for each blob and number. */
  readonly closeAfter?: number;
  /** Accepts requests that match and never answers. */
  readonly hang?: RegExp;
  /** Answers requests that match with this status. */
  readonly refuse?: { readonly path: RegExp; readonly status: number; readonly headers?: Record<string, string> };
}

export interface Upstream extends AsyncDisposable {
  readonly host: string;
  readonly base: string;
  readonly port: number;
  /** `GET /v2/…`, in order. */
  readonly requests: readonly string[];
  /** Bytes of blobs sent so far, in total or for one digest. */
  sent(digest?: string): number;
  /** The number of GET requests for blobs, in total or for one digest. */
  fetches(digest?: string): number;
  behave(behaviour: Behaviour): void;
  /** Ends all connections, and refuses new ones until `begin`, as a server that is restarted. */
  end(): Promise<void>;
  begin(): Promise<void>;
  addImage(name: string, image: FixtureImage): void;
  addBlob(digest: string, source: BlobSource): void;
}

export async function startUpstream(): Promise<Upstream> {
  const manifests = new Map<
    string,
    { readonly mediaType: string; readonly digest: string; readonly bytes: Uint8Array }
  >();
  const blobs = new Map<string, BlobSource>();
  const sent = new Map<string, number>();
  const fetches = new Map<string, number>();
  const requests: string[] = [];
  const closed = new Set<string>();
  let behaviour: Behaviour = {};

  const addImage = (name: string, image: FixtureImage): void => {
    const cut = name.includes('@') ? name.indexOf('@') : name.lastIndexOf(':');
    const repository = name.slice(0, cut);
    manifests.set(`${repository}/${name.slice(cut + 1)}`, image.manifest);
    manifests.set(`${repository}/${image.manifest.digest}`, image.manifest);
    for (const one of image.blobs) blobs.set(one.digest, inMemory(one.bytes));
    for (const child of image.children) addImage(`${repository}@${child.manifest.digest}`, child);
  };

  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const path = new URL(request.url ?? '/', 'http://upstream').pathname;
    requests.push(`${request.method} ${path}`);
    if (behaviour.hang?.test(path)) return;
    if (behaviour.refuse?.path.test(path)) {
      response.writeHead(behaviour.refuse.status, behaviour.refuse.headers).end();
      return;
    }
    const [, repository = '', kind, reference = ''] = /^\/v2\/(.+)\/(manifests|blobs)\/([^/]+)$/.exec(path) ?? [];
    const manifest = kind === 'manifests' ? manifests.get(`${repository}/${reference}`) : undefined;
    const content = kind === 'blobs' ? blobs.get(reference) : undefined;
    if (path === '/v2/') response.end('{}');
    else if (manifest) sendManifest(request, response, manifest);
    else if (content) await sendBlob(request, response, reference, content);
    else response.writeHead(404, { 'content-type': 'application/json' }).end('{"errors":[{"code":"NOT_FOUND"}]}');
  };

  const sendBlob = async (
    request: IncomingMessage,
    response: ServerResponse,
    digest: string,
    content: BlobSource,
  ): Promise<void> => {
    const from = Number(/^bytes=(\d+)-/.exec(request.headers.range ?? '')?.[1] ?? 0);
    const partial = from > 0 && { 'content-range': `bytes ${from}-${content.size - 1}/${content.size}` };
    response.writeHead(partial ? 206 : 200, {
      'content-type': 'application/octet-stream',
      'content-length': content.size - from,
      'docker-content-digest': digest,
      ...partial,
    });
    if (request.method === 'HEAD') {
      response.end();
      return;
    }
    fetches.set(digest, (fetches.get(digest) ?? 0) + 1);
    await pipeline(Readable.from(misbehaving(digest, content, from)), response).catch(() => undefined);
  };

  /** Throws if the connection must be closed. */
  async function* misbehaving(digest: string, content: BlobSource, from: number): AsyncGenerator<Uint8Array> {
    let at = from;
    for (const chunk of content.chunks(from)) {
      const { closeAfter, bytesPerSecond } = behaviour;
      if (closeAfter !== undefined && at + chunk.length > closeAfter && !closed.has(`${digest} ${closeAfter}`)) {
        closed.add(`${digest} ${closeAfter}`);
        throw new Error('closed in the middle');
      }
      if (bytesPerSecond) await setTimeout((chunk.length / bytesPerSecond) * 1000);
      yield chunk;
      at += chunk.length;
      sent.set(digest, (sent.get(digest) ?? 0) + chunk.length);
    }
  }

  const server = createServer((request, response) => {
    answer(request, response).catch(() => response.destroy());
  });
  const listen = (at: number) => new Promise<void>((done) => server.listen(at, '127.0.0.1', done));
  const end = async () => {
    const closed = new Promise((done) => server.close(done));
    server.closeAllConnections();
    await closed;
  };
  await listen(0);
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  const { port } = address;
  return {
    port,
    host: `127.0.0.1:${port}`,
    base: `http://127.0.0.1:${port}`,
    requests,
    sent: (digest) => total(sent, digest),
    fetches: (digest) => total(fetches, digest),
    behave: (next) => {
      behaviour = next;
    },
    addImage,
    addBlob: (digest, source) => blobs.set(digest, source),
    end,
    begin: () => listen(port),
    [Symbol.asyncDispose]: end,
  };
}

const CHUNK = 64 * 1024;

function inMemory(bytes: Uint8Array): BlobSource {
  return {
    size: bytes.length,
    *chunks(from) {
      for (let at = from; at < bytes.length; at += CHUNK) yield bytes.subarray(at, at + CHUNK);
    },
  };
}

function sendManifest(
  request: IncomingMessage,
  response: ServerResponse,
  manifest: { readonly mediaType: string; readonly digest: string; readonly bytes: Uint8Array },
): void {
  response.writeHead(200, {
    'content-type': manifest.mediaType,
    'content-length': manifest.bytes.length,
    'docker-content-digest': manifest.digest,
  });
  response.end(request.method === 'HEAD' ? undefined : manifest.bytes);
}

function total(counts: ReadonlyMap<string, number>, digest: string | undefined): number {
  if (digest !== undefined) return counts.get(digest) ?? 0;
  return [...counts.values()].reduce((sum, count) => sum + count, 0);
}
