// The contract of registries over the store of the embedded registry, which records host names.
import { afterAll } from 'vitest';
import { registryContract } from '../../test/contract/registry-contract.ts';
import { openEmbeddedStore } from './embedded-store.ts';
import { type TestDirectory, testDirectory } from './testing/directories.ts';

const directories: TestDirectory[] = [];

async function newDirectory(): Promise<string> {
  const directory = await testDirectory();
  directories.push(directory);
  return directory.path;
}

afterAll(() => Promise.all(directories.map((directory) => directory[Symbol.asyncDispose]())));

registryContract('the registry on disk, with host names', async () => ({
  registry: (await openEmbeddedStore(await newDirectory())).registry,
  [Symbol.asyncDispose]: async () => {},
}));
