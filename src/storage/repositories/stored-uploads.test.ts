// How often the bytes of an upload are read. The contract of uploads is tested in test/contract.
import { expect, it } from 'vitest';
import { blobOf, bytesOf, chunked } from '../../../test/contract/content.ts';
import type { DigestAlgorithm } from '../../oci/digest.ts';
import type { Upload, UploadOptions } from '../../registry/contract.ts';
import { stagedStore } from '../drivers/staged-store.ts';
import { createMemoryObjectStore } from '../object-store/memory-object-store.ts';
import type { ObjectStore } from '../object-store/object-store.ts';
import { storedRegistry } from './stored-registry.ts';

const BYTES = bytesOf('upload', 100_000);
const OTHER = { sha256: 'sha512', sha512: 'sha256' } as const satisfies Record<DigestAlgorithm, DigestAlgorithm>;

it.each(['sha256', 'sha512'] as const)(
  'bytes of an upload with its %s announced are hashed as they come',
  async (algorithm) => {
    expect(await readsOfUpload(algorithm, { first: { algorithm } })).toBe(0);
  },
);

it.each(['sha256', 'sha512'] as const)(
  'so are those of an upload whose %s is announced with the first bytes',
  async (algorithm) => {
    expect(await readsOfUpload(algorithm, { first: { algorithm: OTHER[algorithm] }, next: { algorithm } })).toBe(0);
  },
);

it.each(['sha256', 'sha512'] as const)(
  'those of an upload that announced another algorithm than %s are read once more',
  async (algorithm) => {
    expect(await readsOfUpload(algorithm, { first: { algorithm: OTHER[algorithm] } })).toBe(1);
  },
);

interface Announced {
  /** The options of the first opening, when the upload has no bytes. */
  readonly first: UploadOptions;
  /** The options of each later opening. */
  readonly next?: UploadOptions;
}

/** Uploads two chunks and commits. Each step opens the upload again, like a request. Returns how often the stage was read. */
async function readsOfUpload(algorithm: DigestAlgorithm, { first, next }: Announced): Promise<number> {
  let reads = 0;
  const registry = storedRegistry(stagedStore(observed(createMemoryObjectStore(), () => (reads += 1))));
  const { digest } = blobOf(BYTES, undefined, algorithm).descriptor;
  const begun = await registry.openUpload('team/app', undefined, first);
  await begun[Symbol.asyncDispose]();
  const steps: readonly ((upload: Upload) => Promise<unknown>)[] = [
    (upload) => upload.append(chunked(BYTES.subarray(0, 60_000)), { from: 0 }),
    (upload) => upload.append(chunked(BYTES.subarray(60_000)), { from: 60_000 }),
    (upload) => upload.commit(digest),
  ];
  for (const step of steps) {
    await using upload = await registry.openUpload('team/app', begun.id, next);
    await step(upload);
  }
  expect(await registry.statBlob('team/app', digest)).toMatchObject({ size: BYTES.length });
  return reads;
}

/** A store that reports each read of a stage. */
function observed(objects: ObjectStore, onRead: () => void): ObjectStore {
  return {
    ...objects,
    stage: async (id, options) => {
      const stage = await objects.stage(id, options);
      if (!stage) return undefined;
      const read = stage.read.bind(stage);
      stage.read = () => {
        onRead();
        return read();
      };
      return stage;
    },
  };
}
