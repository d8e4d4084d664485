import { objectStoreContract } from '../../test/contract/object-store-contract.ts';
import { registryContract } from '../../test/contract/registry-contract.ts';
import { createMemoryObjectStore } from './memory-object-store.ts';
import { storedRegistry } from './stored-registry.ts';

objectStoreContract('memory', async () => createMemoryObjectStore());

registryContract('the registry in memory', async () => ({
  registry: storedRegistry(createMemoryObjectStore()),
  [Symbol.asyncDispose]: async () => {},
}));
