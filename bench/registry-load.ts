// The clients of bench/registry.ts, in a process of their own: raw keep-alive connections with prepared requests, so that the load costs little beside the
// servers. Reads one plan (JSON) from stdin, runs it, and prints the result.
import { createHash, randomBytes } from 'node:crypto';
import { text } from 'node:stream/consumers';
import { type Connection, connectTo } from './registry-connection.ts';

interface Target {
  readonly port: number;
  /** The value of Authorization. */
  readonly authorization?: string;
}

export type LoadPlan = Target & { readonly connections: number } & (
    | {
        /** Each connection asks for these paths in turn, for so many seconds. */
        readonly kind: 'ask';
        readonly method: 'GET' | 'HEAD';
        readonly paths: readonly string[];
        readonly seconds: number;
      }
    /** Each connection asks once for each path in order. */
    | { readonly kind: 'pull'; readonly paths: readonly string[] }
    /** `images` images of a layer and a config, each of its own, shared out over the connections. */
    | { readonly kind: 'push'; readonly images: number; readonly layerBytes: number; readonly repository: string }
    /** Each connection uploads a blob of its own of so many bytes, in one PUT. */
    | { readonly kind: 'put'; readonly bytes: number; readonly repository: string }
  );

export interface LoadResult {
  readonly requests: number;
  /** Of bodies received and sent. */
  readonly bytes: number;
  readonly seconds: number;
  /** Processor seconds of this process. */
  readonly cpu: number;
}

const MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
const PIECE = 4 * 1024 * 1024;

async function run(plan: LoadPlan): Promise<LoadResult> {
  const work = await prepared(plan);
  const connections = await Promise.all(Array.from({ length: plan.connections }, () => connectTo(plan.port)));
  const before = process.cpuUsage();
  const begun = performance.now();
  await Promise.all(connections.map((connection, at) => work(connection, at)));
  const seconds = (performance.now() - begun) / 1000;
  const { user, system } = process.cpuUsage(before);
  const sum = (value: (connection: Connection) => number) => connections.reduce((all, one) => all + value(one), 0);
  for (const connection of connections) connection.close();
  return { requests: sum((one) => one.asked()), bytes: sum((one) => one.moved()), seconds, cpu: (user + system) / 1e6 };
}

type Work = (connection: Connection, at: number) => Promise<void>;

async function prepared(plan: LoadPlan): Promise<Work> {
  if (plan.kind === 'ask') {
    const heads = plan.paths.map((path) => headOf(plan.method, path, plan));
    return async (connection, at) => {
      const end = performance.now() + plan.seconds * 1000;
      for (let next = at; performance.now() < end; next++) {
        await connection.ask(heads[next % heads.length] ?? '', { isHead: plan.method === 'HEAD', expect: 200 });
      }
    };
  }
  if (plan.kind === 'pull') {
    const heads = plan.paths.map((path) => headOf('GET', path, plan));
    return async (connection) => {
      for (const head of heads) await connection.ask(head, { expect: 200 });
    };
  }
  if (plan.kind === 'push') {
    const images = Array.from({ length: plan.images }, () => newImage(plan.layerBytes));
    return async (connection, at) => {
      for (let next = at; next < images.length; next += plan.connections) {
        const image = images[next];
        if (image) await push(connection, plan, image, `t${process.pid}-${next}`);
      }
    };
  }
  const blobs = Array.from({ length: plan.connections }, () => largeBlob(plan.bytes));
  return async (connection, at) => {
    const blob = blobs[at];
    if (blob) await upload(connection, plan, blob.digest, blob.pieces);
  };
}

interface Image {
  readonly parts: readonly { readonly digest: string; readonly bytes: Buffer }[];
  readonly manifest: Buffer;
}

function newImage(layerBytes: number): Image {
  const layer = randomBytes(layerBytes);
  const config = Buffer.from(
    JSON.stringify({
      architecture: 'amd64',
      os: 'linux',
      rootfs: { type: 'layers', diff_ids: [digestOf(layer)] },
      config: {},
      history: [],
    }),
  );
  const manifest = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: MANIFEST,
      config: {
        mediaType: 'application/vnd.oci.image.config.v1+json',
        digest: digestOf(config),
        size: config.length,
      },
      layers: [{ mediaType: 'application/vnd.oci.image.layer.v1.tar', digest: digestOf(layer), size: layer.length }],
    }),
  );
  return { parts: [layer, config].map((bytes) => ({ digest: digestOf(bytes), bytes })), manifest };
}

/** As docker and containerd push: HEAD, POST, PATCH and PUT for each blob, then the manifest. */
async function push(
  connection: Connection,
  to: Target & { readonly repository: string },
  { parts, manifest }: Image,
  tag: string,
): Promise<void> {
  const { repository } = to;
  for (const { digest, bytes } of parts) {
    await connection.ask(headOf('HEAD', `/v2/${repository}/blobs/${digest}`, to), { isHead: true, expect: 404 });
    const begun = await connection.ask(headOf('POST', `/v2/${repository}/blobs/uploads/`, to, 0), { expect: 202 });
    const sent = await connection.ask(headOf('PATCH', begun.location, to, bytes.length), {
      body: [bytes],
      expect: 202,
    });
    await connection.ask(headOf('PUT', withDigest(sent.location, digest), to, 0), { expect: 201 });
  }
  await connection.ask(headOf('PUT', `/v2/${repository}/manifests/${tag}`, to, manifest.length, MANIFEST), {
    body: [manifest],
    expect: 201,
  });
}

async function upload(
  connection: Connection,
  to: Target & { readonly repository: string; readonly bytes: number },
  digest: string,
  body: readonly Buffer[],
): Promise<void> {
  const { repository, bytes } = to;
  const begun = await connection.ask(headOf('POST', `/v2/${repository}/blobs/uploads/`, to, 0), { expect: 202 });
  await connection.ask(headOf('PUT', withDigest(begun.location, digest), to, bytes), { body, expect: 201 });
}

/** The same piece many times, after one of its own: hashed before the clock starts. */
function largeBlob(bytes: number): { readonly digest: string; readonly pieces: readonly Buffer[] } {
  const own = randomBytes(PIECE);
  const pieces = Array.from({ length: Math.ceil(bytes / PIECE) }, (_, at) => own.subarray(0, bytes - at * PIECE));
  const hash = createHash('sha256');
  for (const piece of pieces) hash.update(piece);
  return { digest: `sha256:${hash.digest('hex')}`, pieces };
}

function withDigest(location: string, digest: string): string {
  return `${location}${location.includes('?') ? '&' : '?'}digest=${digest}`;
}

function headOf(
  method: string,
  path: string,
  { port, authorization }: Target,
  length?: number,
  type = 'application/octet-stream',
): string {
  const target = path.replace(/^http:\/\/[^/]+/, '');
  const body = length === undefined ? '' : `Content-Length: ${length}\r\nContent-Type: ${type}\r\n`;
  const login = authorization === undefined ? '' : `Authorization: ${authorization}\r\n`;
  return `${method} ${target} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nUser-Agent: bench\r\nAccept: ${MANIFEST}\r\n${login}${body}\r\n`;
}

function digestOf(bytes: Uint8Array): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

console.log(JSON.stringify(await run(JSON.parse(await text(process.stdin)))));
