// The contract of a store's small objects, in a directory and in memory.
import { afterAll } from 'vitest';
import { objectsContract } from '../../../test/contract/objects-contract.ts';
import { type TestDirectory, testDirectory } from '../testing/directories.ts';
import { diskStore, memoryStore } from './staged-store.ts';

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
