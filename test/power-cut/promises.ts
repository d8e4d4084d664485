// Clients that push to a registry and write down, in order, what they asked for and what was acknowledged. So what had been promised at any moment can be held against what
// a disk held at that moment.
import { randomUUID } from 'node:crypto';
import { expect } from 'vitest';
import { digestOf } from '../../src/oci/digest.ts';
import { buildImage, type FixtureImage, randomLayer } from '../fixtures/image.ts';

type Wanted = FixtureImage | 'deleted';

type Note =
  | { readonly kind: 'blob'; readonly repository: string; readonly bytes: Uint8Array }
  | { readonly kind: 'chunk'; readonly path: string; readonly held: number }
  | { readonly kind: 'ends'; readonly path: string }
  | { readonly kind: 'asked' | 'told'; readonly name: string; readonly wanted: Wanted };

export interface Promises {
  /** Pushes until `isOver`, by one client with a repository of its own. */
  run(base: string, repository: string, isOver: () => boolean): Promise<void>;
  /** How much has been written down. */
  count(): number;
  /** Checks that what had been promised then is there. */
  check(base: string, count: number): Promise<void>;
}

export function promises(random: () => number): Promises {
  const notes: Note[] = [];

  async function send(base: string, path: string, init: RequestInit, wanted: number): Promise<Response> {
    const answer = await fetch(new URL(path, base), init);
    await answer.arrayBuffer();
    if (answer.status !== wanted) throw new Error(`${init.method} ${path}: ${answer.status}`);
    return answer;
  }

  async function pushBlob(base: string, repository: string, bytes: Uint8Array): Promise<void> {
    const begun = await send(base, `/v2/${repository}/blobs/uploads/`, { method: 'POST' }, 202);
    const path = begun.headers.get('location') ?? '';
    const chunks = random() < 0.5 ? [1] : [0.4, 1];
    let held = 0;
    for (const share of chunks) {
      const to = Math.floor(bytes.length * share);
      const headers = { 'content-range': `${held}-${to - 1}` };
      await send(base, path, { method: 'PATCH', headers, body: new Uint8Array(bytes.subarray(held, to)) }, 202);
      held = to;
      notes.push({ kind: 'chunk', path, held });
    }
    const put = new URL(path, base);
    put.searchParams.set('digest', digestOf(bytes));
    notes.push({ kind: 'ends', path });
    await send(base, put.href, { method: 'PUT' }, 201);
    notes.push({ kind: 'blob', repository, bytes });
  }

  async function setTag(base: string, name: string, wanted: Wanted): Promise<void> {
    const path = `/v2/${name}`;
    notes.push({ kind: 'asked', name, wanted });
    if (wanted === 'deleted') {
      await send(base, path, { method: 'DELETE' }, 202);
    } else {
      const { mediaType, bytes } = wanted.manifest;
      const headers = { 'content-type': mediaType };
      await send(base, path, { method: 'PUT', headers, body: new Uint8Array(bytes) }, 201);
    }
    notes.push({ kind: 'told', name, wanted });
  }

  return {
    run: async (base, repository, isOver) => {
      try {
        while (!isOver()) {
          const image = buildImage({ layers: [randomLayer(randomUUID(), 1000 + Math.floor(random() * 40_000))] });
          for (const { bytes } of image.blobs) await pushBlob(base, repository, bytes);
          const name = `${repository}/manifests/t${Math.floor(random() * 3)}`;
          await setTag(base, name, image);
          if (random() < 0.2) await setTag(base, name, 'deleted');
        }
      } catch (error) {
        if (!isOver()) throw error;
      }
    },
    count: () => notes.length,
    check: async (base, count) => {
      const tags = new Map<string, Wanted[]>();
      const uploads = new Map<string, number>();
      for (const note of notes.slice(0, count)) {
        if (note.kind === 'blob') await checkBlob(base, note.repository, note.bytes);
        if (note.kind === 'chunk') uploads.set(note.path, note.held);
        if (note.kind === 'ends') uploads.delete(note.path);
        if (note.kind === 'asked') tags.set(note.name, [...(tags.get(note.name) ?? ['deleted']), note.wanted]);
        if (note.kind === 'told') tags.set(note.name, [note.wanted]);
      }
      for (const [name, possible] of tags) await checkTag(base, name, possible);
      for (const [path, held] of uploads) {
        const answer = await fetch(new URL(path, base));
        expect(answer.status, path).toBe(204);
        expect(Number(answer.headers.get('range')?.split('-')[1]) + 1, path).toBeGreaterThanOrEqual(held);
      }
    },
  };
}

async function checkBlob(base: string, repository: string, bytes: Uint8Array): Promise<void> {
  const path = `/v2/${repository}/blobs/${digestOf(bytes)}`;
  const answer = await fetch(new URL(path, base));
  expect(answer.status, path).toBe(200);
  expect(Buffer.from(await answer.arrayBuffer()).equals(bytes), path).toBe(true);
}

async function checkTag(base: string, name: string, possible: readonly Wanted[]): Promise<void> {
  const answer = await fetch(new URL(`/v2/${name}`, base));
  const bytes = Buffer.from(await answer.arrayBuffer());
  const found = possible.find((one) =>
    one === 'deleted' ? answer.status === 404 : answer.status === 200 && bytes.equals(one.manifest.bytes),
  );
  expect(found, `${name} (status ${answer.status})`).toBeDefined();
  if (!found || found === 'deleted') return;
  const repository = name.slice(0, name.indexOf('/manifests/'));
  for (const blob of found.blobs) await checkBlob(base, repository, blob.bytes);
}
