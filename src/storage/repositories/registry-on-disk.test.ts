// The contract of registries over a directory; in memory, see object-store/memory-object-store.test.ts.
import { afterAll } from 'vitest';
import { registryContract } from '../../../test/contract/registry-contract.ts';
import { diskStore } from '../drivers/staged-store.ts';
import { type TestDirectory, testDirectory } from '../testing/directories.ts';
import { storedRegistry } from './stored-registry.ts';

const directories: TestDirectory[] = [];

async function newDirectory(): Promise<string> {
  const directory = await testDirectory();
  directories.push(directory);
  return directory.path;
}

afterAll(() => Promise.all(directories.map((directory) => directory[Symbol.asyncDispose]())));

registryContract('the registry on disk', async () => ({
  registry: storedRegistry(diskStore(await newDirectory())),
  [Symbol.asyncDispose]: async () => {},
}));
