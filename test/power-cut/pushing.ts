// Clients that push all kinds of content to a registry, and remember what was acknowledged. Afterwards they check all of it.
import { randomUUID } from 'node:crypto';
import { expect } from 'vitest';
import { digestOf } from '../../src/oci/digest.ts';
import { buildImage, type FixtureImage, randomLayer } from '../fixtures/image.ts';

export interface Pushing {
  /** Each client pushes its own kind until `isOver`. Failures after that are ignored. */
  run(base: string, isOver: () => boolean): Promise<void>;
  /** The number of acknowledgements. */
  readonly acknowledged: number;
  /** Checks that everything that was acknowledged is there. With `tags`, only the tags and what they need: the rest may have been collected as garbage. */
  check(base: string, what?: 'all' | 'tags'): Promise<void>;
}

interface Upload {
  readonly path: string;
  readonly bytes: Buffer;
  held: number;
}

/** A client with its own repository. */
export function pushing(repository: string, random: () => number): Pushing {
  const blobs = new Map<string, Buffer>();
  const mounted = new Map<string, Buffer>();
  const uploads = new Set<Upload>();
  const tags = new Map<string, FixtureImage | 'deleted'>();
  /** The request without an answer: its content may be there or not. */
  let asked: { readonly tag: string; readonly wanted: FixtureImage | 'deleted' } | undefined;
  let acknowledged = 0;
  const other = `${repository}/other`;

  async function send(base: string, path: string, init: RequestInit, wanted: number): Promise<Response> {
    const answer = await fetch(new URL(path, base), init);
    await answer.arrayBuffer();
    if (answer.status !== wanted) throw new Error(`${init.method} ${path}: ${answer.status}`);
    return answer;
  }

  async function pushBlob(base: string, bytes: Buffer): Promise<string> {
    const digest = digestOf(bytes);
    const begun = await send(base, `/v2/${repository}/blobs/uploads/`, { method: 'POST' }, 202);
    const path = begun.headers.get('location') ?? '';
    const upload: Upload = { path, bytes, held: 0 };
    uploads.add(upload);
    for (const share of [0.3, 0.8]) {
      const to = Math.floor(bytes.length * share);
      const headers = { 'content-range': `${upload.held}-${to - 1}` };
      await send(base, path, { method: 'PATCH', headers, body: new Uint8Array(bytes.subarray(upload.held, to)) }, 202);
      upload.held = to;
      acknowledged += 1;
    }
    const put = new URL(path, base);
    put.searchParams.set('digest', digest);
    const rest = new Uint8Array(bytes.subarray(upload.held));
    uploads.delete(upload);
    await send(base, put.href, { method: 'PUT', body: rest }, 201);
    blobs.set(digest, bytes);
    acknowledged += 1;
    return digest;
  }

  async function setTag(base: string, tag: string, wanted: FixtureImage | 'deleted'): Promise<void> {
    asked = { tag, wanted };
    const path = `/v2/${repository}/manifests/${tag}`;
    if (wanted === 'deleted') {
      await send(base, path, { method: 'DELETE' }, 202);
    } else {
      const { mediaType, bytes } = wanted.manifest;
      const headers = { 'content-type': mediaType };
      await send(base, path, { method: 'PUT', headers, body: new Uint8Array(bytes) }, 201);
    }
    tags.set(tag, wanted);
    asked = undefined;
    acknowledged += 1;
  }

  async function step(base: string): Promise<void> {
    const image = buildImage({ layers: [randomLayer(randomUUID(), 1000 + Math.floor(random() * 50_000))] });
    for (const { bytes } of image.blobs) await pushBlob(base, Buffer.from(bytes));
    const layer = image.blobs[0];
    if (layer && random() < 0.5) {
      const query = `mount=${layer.digest}&from=${repository}`;
      await send(base, `/v2/${other}/blobs/uploads/?${query}`, { method: 'POST' }, 201);
      mounted.set(layer.digest, Buffer.from(layer.bytes));
      acknowledged += 1;
    }
    const tag = `t${Math.floor(random() * 3)}`;
    await setTag(base, tag, image);
    if (random() < 0.3) await setTag(base, tag, 'deleted');
  }

  async function checkBlob(base: string, name: string, bytes: Buffer): Promise<void> {
    const path = `/v2/${name}/blobs/${digestOf(bytes)}`;
    const answer = await fetch(new URL(path, base));
    expect(answer.status, path).toBe(200);
    expect(Buffer.from(await answer.arrayBuffer()).equals(bytes), path).toBe(true);
  }

  async function checkTag(base: string, tag: string): Promise<void> {
    const known = tags.get(tag) ?? 'deleted';
    const possible = asked?.tag === tag ? [known, asked.wanted] : [known];
    const answer = await fetch(new URL(`/v2/${repository}/manifests/${tag}`, base));
    const bytes = Buffer.from(await answer.arrayBuffer());
    const found = possible.find((one) => {
      return one === 'deleted' ? answer.status === 404 : answer.status === 200 && bytes.equals(one.manifest.bytes);
    });
    expect(found, `${repository}:${tag} (status ${answer.status})`).toBeDefined();
    if (!found) return;
    tags.set(tag, found);
    if (found === 'deleted') return;
    for (const one of found.blobs) await checkBlob(base, repository, Buffer.from(one.bytes));
  }

  /** Continues the upload where the server says, which must not be before the acknowledged offset. */
  async function checkUpload(base: string, { path, bytes, held }: Upload): Promise<void> {
    const status = await fetch(new URL(path, base));
    if (status.status === 404 && held === 0) return;
    expect(status.status, path).toBe(204);
    const last = Number(status.headers.get('range')?.split('-')[1]);
    // `Range: 0-0` may mean no bytes or one; no upload here has exactly one.
    const from = last === 0 ? 0 : last + 1;
    expect(from, path).toBeGreaterThanOrEqual(held);
    const put = new URL(path, base);
    put.searchParams.set('digest', digestOf(bytes));
    const answer = await fetch(put, { method: 'PUT', body: new Uint8Array(bytes.subarray(from)) });
    expect(answer.status, path).toBe(201);
    await checkBlob(base, repository, bytes);
  }

  return {
    get acknowledged() {
      return acknowledged;
    },
    run: async (base, isOver) => {
      try {
        while (!isOver()) await step(base);
      } catch (error) {
        if (!isOver()) throw error;
      }
    },
    check: async (base, what = 'all') => {
      if (what === 'tags') {
        blobs.clear();
        mounted.clear();
        uploads.clear();
      }
      for (const bytes of blobs.values()) await checkBlob(base, repository, bytes);
      for (const bytes of mounted.values()) await checkBlob(base, other, bytes);
      for (const tag of ['t0', 't1', 't2']) await checkTag(base, tag);
      for (const upload of uploads) await checkUpload(base, upload);
      uploads.clear();
      asked = undefined;
    },
  };
}
