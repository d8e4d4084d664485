// The HTTP clients of the tasks: one for the private registry, one for all hosts that images come from. Loaded only where HTTP is spoken.
import type { Registry } from '../registry/contract.ts';
import type { RegistryAddress } from './local-registry.ts';
import type { Settings } from './settings.ts';

export async function privateRegistryClient(_address: RegistryAddress, _settings: Settings): Promise<Registry> {
  throw new Error('not there yet');
}
