// The contract of a store's blobs, in a directory.
import { join } from 'node:path';
import { afterAll } from 'vitest';
import type { BlobsUnderTest } from '../../../test/contract/blobs/suite.ts';
import { blobsContract } from '../../../test/contract/blobs-contract.ts';
import { BLOBS } from '../layout/registry-keys.ts';
import { openFsObjectStore } from '../object-store/fs-object-store.ts';
import { setBack, type TestDirectory, testDirectory } from '../testing/directories.ts';
import { flipBit } from '../testing/flip-bit.ts';
import { diskStore } from './staged-store.ts';

const directories: TestDirectory[] = [];

async function newDirectory(): Promise<string> {
  const directory = await testDirectory();
  directories.push(directory);
  return directory.path;
}

afterAll(() => Promise.all(directories.map((directory) => directory[Symbol.asyncDispose]())));

blobsContract('a directory', async (): Promise<BlobsUnderTest> => {
  const directory = await newDirectory();
  return {
    ...diskStore(directory),
    again: () => diskStore(directory),
    age: (time) => setBack(join(directory, BLOBS), time),
    damage: (digest) => flipBit(openFsObjectStore(directory), digest),
  };
});
