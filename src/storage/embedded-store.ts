// The store of the embedded registry: a directory, as a Registry. `lreg_*` commands use it in process, and the server serves it. Several processes may use it at once.
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { isFsError } from '../io/files/fs-errors.ts';
import { type DiskStoreOptions, diskStore } from './drivers/staged-store.ts';
import type { Space } from './quota/space.ts';
import { type RegistryStoreOptions, registryStore } from './registry-store.ts';
import type { RegistryStore } from './store.ts';

export interface EmbeddedStore extends RegistryStore {
  readonly directory: string;
  /** The bytes that count for the quota; absent if the store has no rules. */
  readonly space?: Space;
}

/**
 * Opens the store in `directory`. It reads and makes nothing until that is needed, so opening is free, and a store that cannot be written to
 * can be read. There is nothing to close.
 */
export async function openEmbeddedStore(
  directory: string,
  options: RegistryStoreOptions & DiskStoreOptions = {},
): Promise<EmbeddedStore> {
  const { rules, check, alone = false, smallFileCounts } = options;
  const disk = { alone, ...(smallFileCounts && { smallFileCounts }) };
  // Short commands need none of what is imported here.
  const store = check
    ? (await import('./drivers/checked-store.ts')).checkedDiskStore(directory, check, disk)
    : diskStore(directory, disk);
  if (!rules) return { directory, ...registryStore(store, options) };
  const { withQuota } = await import('./quota/quota.ts');
  const limited = withQuota(store, async () => (await rules()).quota);
  return { directory, space: limited.space, ...registryStore(limited, options) };
}

/** Whether the directory holds a store: one of this program, or a volume of docker registry:2. */
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
