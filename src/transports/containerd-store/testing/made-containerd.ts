// For tests: makes a store of containerd in memory from real layers, as `make` writes it, and reads it back.
import { tmpdir } from 'node:os';
import { pipeOutput } from '../../../io/files/rewindable-output.ts';
import type { TarHeader } from '../../../tar/entry.ts';
import { readTar } from '../../../tar/reader.ts';
import { imageToStore, type TestImage } from '../../containers-storage/testing/made-store.ts';
import type { WrittenStore } from '../../containers-storage/write-store.ts';
import { type BoltBucket, isBoltBucket } from '../bolt/bolt-format.ts';
import { type WriteContainerdOptions, writeContainerd } from '../write-containerd.ts';

export interface MadeContainerd {
  readonly archive: Buffer;
  readonly written: WrittenStore;
}

export const TEST_ROOT = 'var/lib/containerd';

export async function madeContainerd(
  images: readonly TestImage[],
  options: Partial<WriteContainerdOptions> = {},
): Promise<MadeContainerd> {
  const chunks: Uint8Array[] = [];
  const output = pipeOutput(async (bytes) => {
    chunks.push(Buffer.from(bytes));
  }, tmpdir());
  const all = await Promise.all(images.map(imageToStore));
  const own = { root: TEST_ROOT, withLayers: true, temporaryDirectory: tmpdir() };
  const written = await writeContainerd(all, output, { ...own, ...options });
  return { archive: Buffer.concat(chunks), written };
}

/** By name; a name that is there twice is an error. */
export async function containerdEntries(
  archive: Uint8Array,
): Promise<ReadonlyMap<string, TarHeader & { content: Buffer }>> {
  const all = new Map<string, TarHeader & { content: Buffer }>();
  async function* bytes() {
    yield archive;
  }
  for await (const entry of readTar(bytes())) {
    if (all.has(entry.name)) throw new Error(`twice: ${entry.name}`);
    all.set(entry.name, { ...entry, content: Buffer.concat(await Array.fromAsync(entry.body)) });
  }
  return all;
}

/** A database as plain objects: values as text, numbers and times in hexadecimal digits. */
export function asObject({ entries }: BoltBucket): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    entries.map(({ key, value }) => {
      const name = Buffer.from(key).toString('latin1');
      const text = isBoltBucket(value) ? '' : Buffer.from(value).toString('latin1');
      return [
        name,
        isBoltBucket(value) ? asObject(value) : /[^ -~]/.test(text) ? Buffer.from(value).toString('hex') : text,
      ];
    }),
  );
}
