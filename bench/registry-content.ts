// What the registries of the benchmarks hold: small blobs, an image, a large blob.
import { createHash, randomBytes } from 'node:crypto';
import type { Server } from './registry-servers.ts';

export const LARGE = 256 * 1024 * 1024;
const SMALL_BLOBS = 500;

interface Target {
  readonly port: number;
  readonly authorization?: string;
}

export interface Blob {
  readonly digest: string;
  readonly bytes: Buffer;
}

export interface SmallContent {
  readonly small: readonly Blob[];
  readonly image: readonly Blob[];
}

export interface Content extends SmallContent {
  readonly large: Blob;
}

export function newSmallContent(): SmallContent {
  const blobs = (count: number, size: number) => Array.from({ length: count }, () => newBlob(size));
  return { small: blobs(SMALL_BLOBS, 4096), image: blobs(20, 1e6) };
}

export function newContent(): Content {
  return { ...newSmallContent(), large: newBlob(LARGE) };
}

function newBlob(size: number): Blob {
  const bytes = randomBytes(size);
  return { bytes, digest: `sha256:${createHash('sha256').update(bytes).digest('hex')}` };
}

/** `authorization` is that of somebody who may push. */
export async function fill(server: Server, content: SmallContent | Content, authorization?: string): Promise<void> {
  const { small, image } = content;
  const to = { ...server, ...(authorization !== undefined && { authorization }) };
  for (const blob of small) await put(to, 'bench/small', blob);
  for (const blob of image) await put(to, 'bench/image', blob);
  if ('large' in content) await put(to, 'bench/large', content.large);
  await putManifest(to, 'bench/small', small.slice(0, 8));
  await putManifest(to, 'bench/image', image);
}

export async function put({ port, ...to }: Target, repository: string, { digest, bytes }: Blob): Promise<void> {
  const base = `http://127.0.0.1:${port}`;
  const begun = await fetch(`${base}/v2/${repository}/blobs/uploads/`, { method: 'POST', headers: headersOf(to) });
  const location = new URL(begun.headers.get('location') ?? '', base);
  location.searchParams.set('digest', digest);
  await checked(await fetch(location, { method: 'PUT', body: new Uint8Array(bytes), headers: headersOf(to) }));
}

async function putManifest(to: Target, repository: string, blobs: readonly Blob[]): Promise<void> {
  const config: Blob = {
    bytes: Buffer.from('{}'),
    digest: `sha256:${createHash('sha256').update('{}').digest('hex')}`,
  };
  await put(to, repository, config);
  const type = 'application/vnd.oci.image.manifest.v1+json';
  const body = JSON.stringify({
    schemaVersion: 2,
    mediaType: type,
    config: { mediaType: 'application/vnd.oci.image.config.v1+json', digest: config.digest, size: 2 },
    layers: blobs.map(({ digest, bytes }) => ({
      mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip',
      digest,
      size: bytes.length,
    })),
  });
  const url = `http://127.0.0.1:${to.port}/v2/${repository}/manifests/1`;
  await checked(await fetch(url, { method: 'PUT', body, headers: { 'Content-Type': type, ...headersOf(to) } }));
}

function headersOf({ authorization }: Pick<Target, 'authorization'>): Record<string, string> {
  return authorization === undefined ? {} : { Authorization: authorization };
}

async function checked(response: Response): Promise<void> {
  if (!response.ok) throw new Error(`${response.url}: ${response.status} ${await response.text()}`);
}
