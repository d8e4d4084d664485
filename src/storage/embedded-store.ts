// The store of the embedded registry: a directory, as a registry. What `lreg_*` use in process and the server serves; several at once, by several processes.
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { isFsError } from '../io/fs-errors.ts';
import type { Registry } from '../registry/contract.ts';
import { openFsObjectStore } from './fs-object-store.ts';
import { hostNames } from './host-names.ts';
import { type NameRecords, nameRecords } from './name-records.ts';
import type { ObjectStore } from './object-store.ts';
import { storedRegistry } from './stored-registry.ts';

export interface EmbeddedStore {
  readonly directory: string;
  /** As clients see it: names with and without hosts (host-names). */
  readonly registry: Registry;
  /** The repositories as they are, under their stripped names. */
  readonly stripped: Registry;
  /** The full names that were recorded. */
  readonly names: NameRecords;
  readonly objects: ObjectStore;
}

/**
 * Opens the store in `directory`. Nothing is read or made before it is needed: opening costs nothing, and a store that cannot be
 * written to can be read. There is nothing to close.
 */
export async function openEmbeddedStore(directory: string): Promise<EmbeddedStore> {
  const objects = openFsObjectStore(directory);
  const stripped = storedRegistry(objects);
  const names = nameRecords(objects);
  return { directory, registry: hostNames(stripped, names), stripped, names, objects };
}

/** Whether the directory holds a store: ours, or a volume of docker registry:2. */
export async function embeddedStoreExists(directory: string): Promise<boolean> {
  const found = await Promise.all(['docker/registry/v2', 'images'].map((name) => isDirectory(join(directory, name))));
  return found.includes(true);
}

async function isDirectory(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch (error) {
    if (isFsError(error, 'ENOENT', 'ENOTDIR')) return false;
    throw error;
  }
}
