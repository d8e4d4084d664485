// Opens the embedded store with the rules of its configuration (registry-config.ts). They are read when something is first written: readers need none.
import { existsSync } from 'node:fs';
import type { DiskStoreOptions } from '../../storage/drivers/staged-store.ts';
import { type EmbeddedStore, openEmbeddedStore } from '../../storage/embedded-store.ts';
import type { RegistryStoreOptions, StoreRules } from '../../storage/registry-store.ts';
import { storeOptions, type TaskEvents, type World } from '../settings.ts';
import { configFile } from './config-file.ts';
import { namedConfig } from './named-config.ts';

/** Errors of what writes to the store: CONFIG_INVALID, FILE_UNREADABLE. */
export async function openRuledStore(
  data: string,
  settings: Pick<World, 'config' | 'uid'> & TaskEvents,
  options: Omit<RegistryStoreOptions, 'onCall'> & DiskStoreOptions = {},
): Promise<EmbeddedStore> {
  const named = options.rules ? undefined : namedConfig(data, settings);
  return await openEmbeddedStore(data, {
    ...storeOptions(settings),
    ...((named !== undefined || existsSync(configFile(data))) && { rules: rulesOnce(data, named) }),
    ...options,
  });
}

function rulesOnce(data: string, named: string | undefined): () => Promise<StoreRules> {
  let reading: Promise<StoreRules> | undefined;
  return async () => {
    reading ??= import('./registry-config.ts')
      .then(({ readRegistryToml }) => readRegistryToml(data, named))
      .catch((error: unknown) => {
        // The next write reads it again: it may have been corrected.
        reading = undefined;
        throw error;
      });
    return await reading;
  };
}
