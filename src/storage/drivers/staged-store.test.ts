// Both contracts of a store, in a directory and in memory.
import { join } from 'node:path';
import { afterAll } from 'vitest';
import type { BlobsUnderTest } from '../../../test/contract/blobs/suite.ts';
import { blobsContract } from '../../../test/contract/blobs-contract.ts';
import { objectsContract } from '../../../test/contract/objects-contract.ts';
import type { Digest } from '../../oci/digest.ts';
import { BLOBS, blobKey } from '../layout/registry-keys.ts';
import { openFsObjectStore } from '../object-store/fs-object-store.ts';
import { createMemoryObjectStore } from '../object-store/memory-object-store.ts';
import type { ObjectStore } from '../object-store/object-store.ts';
import { readObject } from '../object-store/read-object.ts';
import { setBack, type TestDirectory, testDirectory } from '../testing/directories.ts';
import { diskStore, memoryStore, stagedStore } from './staged-store.ts';

const directories: TestDirectory[] = [];

async function newDirectory(): Promise<string> {
  const directory = await testDirectory();
  directories.push(directory);
  return directory.path;
}

afterAll(() => Promise.all(directories.map((directory) => directory[Symbol.asyncDispose]())));

objectsContract('a directory', async () => diskStore(await newDirectory()).objects);
objectsContract(
  'a directory that a command reads alone',
  async () => diskStore(await newDirectory(), { alone: true }).objects,
);
objectsContract('memory', async () => memoryStore().objects);

blobsContract('a directory', async (): Promise<BlobsUnderTest> => {
  const directory = await newDirectory();
  return {
    ...diskStore(directory),
    again: () => diskStore(directory),
    age: (time) => setBack(join(directory, BLOBS), time),
    damage: (digest) => damage(openFsObjectStore(directory), digest),
  };
});

blobsContract('memory', async (): Promise<BlobsUnderTest> => {
  let passed = 0;
  const clock = { now: () => new Date(Date.now() + passed) };
  const objects = createMemoryObjectStore(clock);
  const again = () => stagedStore(objects, clock);
  return {
    ...again(),
    again,
    age: async (time) => {
      passed += time;
    },
    damage: (digest) => damage(objects, digest),
  };
});

async function damage(objects: ObjectStore, digest: Digest): Promise<void> {
  const bytes = Buffer.from((await readObject(objects, blobKey(digest))) ?? []);
  bytes.writeUInt8(bytes.readUInt8(0) ^ 1);
  await objects.put(blobKey(digest), bytes);
}
