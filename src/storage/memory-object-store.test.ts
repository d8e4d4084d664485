import { objectStoreContract } from '../../test/contract/object-store-contract.ts';
import { registryContract } from '../../test/contract/registry-contract.ts';
import { createMemoryObjectStore } from './memory-object-store.ts';
import { memoryStore } from './staged-store.ts';
import { storedRegistry } from './stored-registry.ts';

objectStoreContract('memory', async () => createMemoryObjectStore());

registryContract('the registry in memory', async () => ({
  registry: storedRegistry(memoryStore()),
  [Symbol.asyncDispose]: async () => {},
}));
