import { objectStoreContract } from '../../../test/contract/object-store-contract.ts';
import { registryContract } from '../../../test/contract/registry-contract.ts';
import { memoryStore } from '../drivers/staged-store.ts';
import { storedRegistry } from '../repositories/stored-registry.ts';
import { createMemoryObjectStore } from './memory-object-store.ts';

objectStoreContract('memory', async () => createMemoryObjectStore());

registryContract('the registry in memory', async () => ({
  registry: storedRegistry(memoryStore()),
  [Symbol.asyncDispose]: async () => {},
}));
