// The contract of Registry, for every implementation: the store in memory and on disk, and the HTTP client against our server.
import { afterEach, beforeEach } from 'vitest';
import type { Registry } from '../../src/registry/contract.ts';
import { blobContract } from './registry/blobs.ts';
import { listContract } from './registry/lists.ts';
import { manifestContract } from './registry/manifests.ts';
import type { RegistryAbilities, RegistrySuite } from './registry/suite.ts';

export interface RegistryUnderTest extends AsyncDisposable {
  readonly registry: Registry;
}

/** Each call of `makeRegistry` returns an empty registry. */
export function registryContract(
  name: string,
  makeRegistry: () => Promise<RegistryUnderTest>,
  abilities: RegistryAbilities = {},
): void {
  let made: RegistryUnderTest;

  beforeEach(async () => {
    made = await makeRegistry();
  });
  afterEach(() => made[Symbol.asyncDispose]());

  const suite: RegistrySuite = { name, can: (ability) => abilities[ability] ?? true, registry: () => made.registry };
  blobContract(suite);
  manifestContract(suite);
  listContract(suite);
}
