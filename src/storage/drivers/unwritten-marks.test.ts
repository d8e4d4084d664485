// Doubt about a blob in a read-only store: the blob is hashed once, and marks that others write take precedence.
import { describe, expect, it } from 'vitest';
import { blobOf, bytesOf, collect, imageOf, opener, pushImage } from '../../../test/contract/content.ts';
import { type Digest, digestOf } from '../../oci/digest.ts';
import { type ErrorCode, ImagesError } from '../../oci/errors.ts';
import { blobKey, markKey } from '../layout/registry-keys.ts';
import { createMemoryObjectStore } from '../object-store/memory-object-store.ts';
import type { ObjectStore } from '../object-store/object-store.ts';
import { readObject } from '../object-store/read-object.ts';
import { storedRegistry } from '../repositories/stored-registry.ts';
import { stagedStore } from './staged-store.ts';
import { rememberMark, unwrittenMarks } from './unwritten-marks.ts';

const BLOB = blobOf(bytesOf('layer', 5000));
const { digest } = BLOB.descriptor;

/** A store with the blob: `others` can write to it, `ours` cannot. Our reads of the blob are counted. */
async function newStore(code: ErrorCode = 'READ_ONLY') {
  const others = createMemoryObjectStore();
  await storedRegistry(stagedStore(others)).putBlob('a', BLOB.descriptor, opener(BLOB.bytes));
  let isWritable = false;
  let reads = 0;
  const refused = async () => {
    if (!isWritable) throw new ImagesError(code, 'it cannot be written to');
  };
  const ours: ObjectStore = {
    ...others,
    get: (key, range) => {
      if (key === blobKey(digest)) reads += 1;
      return others.get(key, range);
    },
    put: async (...args) => {
      await refused();
      return await others.put(...args);
    },
    delete: async (...args) => {
      await refused();
      await others.delete(...args);
    },
    stage: async (...args) => {
      await refused();
      return await others.stage(...args);
    },
  };
  const registry = storedRegistry(stagedStore(ours));
  return {
    others,
    ours,
    registry,
    reads: () => reads,
    isThere: async () => (await registry.statBlob('a', digest)) !== undefined,
    doubt: () => others.put(markKey(digest), Buffer.from('doubtful')),
    damage: () => others.put(blobKey(digest), Buffer.alloc(BLOB.bytes.length)),
    makeWritable: () => {
      isWritable = true;
    },
  };
}

describe.each(['READ_ONLY', 'NO_ACCESS', 'NO_SPACE'] as const)('where writing is refused with %s', (code) => {
  it('a blob in doubt that is whole is hashed once, whoever asks at once and later', async () => {
    const { isThere, doubt, reads } = await newStore(code);
    await doubt();
    expect(await Promise.all([isThere(), isThere(), isThere()])).toEqual([true, true, true]);
    expect(await isThere()).toBe(true);
    expect(reads()).toBe(1);
  });

  it('a blob in doubt that is damaged counts as absent, and is hashed once', async () => {
    const { isThere, doubt, damage, reads } = await newStore(code);
    await damage();
    await doubt();
    expect(await Promise.all([isThere(), isThere()])).toEqual([false, false]);
    expect(await isThere()).toBe(false);
    expect(reads()).toBe(1);
  });

  it('wrong bytes that a reader meets are known from then on, by every image that has them', async () => {
    const { registry, others, isThere, damage } = await newStore(code);
    const image = imageOf('with it');
    const manifest = JSON.parse(`${Buffer.from(image.manifest.bytes)}`);
    const layers = [BLOB.descriptor];
    const bytes = Buffer.from(JSON.stringify({ ...manifest, layers }));
    const raw = { ...image.manifest, bytes, digest: digestOf(bytes), size: bytes.length };
    await pushImage(storedRegistry(stagedStore(others)), 'a', { ...image, layers: [BLOB], manifest: raw }, ['1']);
    expect(await registry.statManifest('a', '1', { whole: true })).toBeDefined();
    await damage();
    const { body } = await registry.getBlob('a', digest, { verify: true });
    await expect(collect(body)).rejects.toMatchObject({ code: 'DIGEST_INVALID' });
    expect(await isThere()).toBe(false);
    expect(await registry.statManifest('a', '1', { whole: true })).toBeUndefined();
  });
});

describe('a mark that could not be written', () => {
  it('no longer counts once others have written a mark, or the blob', async () => {
    const { isThere, doubt, damage, reads, others } = await newStore();
    await doubt();
    await isThere();
    await doubt();
    expect(await isThere()).toBe(true);
    expect(reads()).toBe(2);
    await damage();
    expect(await isThere()).toBe(false);
    await others.put(blobKey(digest), BLOB.bytes);
    expect(await isThere()).toBe(true);
    expect(reads()).toBe(4);
  });

  it('is forgotten as soon as a mark can be written', async () => {
    const { isThere, doubt, damage, makeWritable, others, ours } = await newStore();
    await damage();
    await doubt();
    expect(await isThere()).toBe(false);
    makeWritable();
    await doubt();
    expect(await isThere()).toBe(false);
    expect(Buffer.from((await readObject(others, markKey(digest))) ?? []).toString()).toMatch(/^damaged /);
    expect(unwrittenMarks(ours).size).toBe(0);
  });

  it('is remembered for 10,000 blobs, those that were hashed last', async () => {
    const objects = createMemoryObjectStore();
    const digests = Array.from({ length: 10_001 }, (_, at): Digest => `sha256:${`${at}`.padStart(64, '0')}`);
    for (const one of digests) rememberMark(objects, one, { text: 'doubtful', blob: '1', mark: undefined });
    expect(unwrittenMarks(objects).size).toBe(10_000);
    expect(unwrittenMarks(objects).has(digests[0] as Digest)).toBe(false);
  });
});
