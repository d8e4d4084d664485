// Opens the embedded store with the rules of its configuration (registry-config.ts). They are read when something is first written: readers need none.
import { existsSync } from 'node:fs';
import { type EmbeddedStore, openEmbeddedStore } from '../../storage/embedded-store.ts';
import type { RegistryStoreOptions, StoreRules } from '../../storage/registry-store.ts';
import { storeOptions, type TaskEvents, type World } from '../settings.ts';
import { configFile } from './config-file.ts';

/** Errors of what writes to the store: CONFIG_INVALID, FILE_UNREADABLE. */
export async function openRuledStore(
  data: string,
  settings: Pick<World, 'config'> & TaskEvents,
  options: Omit<RegistryStoreOptions, 'onCall'> = {},
): Promise<EmbeddedStore> {
  return await openEmbeddedStore(data, {
    ...storeOptions(settings),
    ...(existsSync(configFile(data, settings.config)) && { rules: rulesOnce(data, settings.config) }),
    ...options,
  });
}

function rulesOnce(data: string, named: string | undefined): () => Promise<StoreRules> {
  let reading: Promise<StoreRules> | undefined;
  return async () => {
    reading ??= import('./registry-config.ts').then(({ readRegistryToml }) => readRegistryToml(data, named));
    return await reading;
  };
}
