// A store over objects and stages: what the drivers for a directory and for memory share. An S3 driver implements `Objects` and `Blobs` itself.
import { openFsObjectStore } from '../object-store/fs-object-store.ts';
import { createMemoryObjectStore } from '../object-store/memory-object-store.ts';
import type { ObjectStore } from '../object-store/object-store.ts';
import { readObject } from '../object-store/read-object.ts';
import type { SmallFileCounts } from '../object-store/small-files.ts';
import type { Store } from '../store.ts';
import { type StagedBlobsOptions, stagedBlobs } from './staged-blobs.ts';

/**
 * The store in a directory. It reads and makes nothing until that is needed, so a missing directory is an empty store.
 * Errors of what writes: NO_SPACE, READ_ONLY, NO_ACCESS; of what reads: NO_ACCESS.
 */
export function diskStore(directory: string, options: DiskStoreOptions = {}): Store {
  return stagedStore(openFsObjectStore(directory, options));
}

export interface DiskStoreOptions {
  /** This process serves nobody meanwhile: what is read need not go through the thread pool, and is not remembered. */
  readonly alone?: boolean;
  /** Counts what is read out of memory. */
  readonly smallFileCounts?: SmallFileCounts;
}

/** An empty store in memory: for tests, and for registries that live only as long as their process. `now` is the clock by which its blobs grow old. */
export function memoryStore(options: { readonly now?: () => Date } = {}): Store {
  return stagedStore(createMemoryObjectStore(options), options);
}

export function stagedStore(objects: ObjectStore, options: StagedBlobsOptions = {}): Store {
  return {
    objects: {
      get: (key) => readObject(objects, key),
      ...(objects.kept && { kept: objects.kept }),
      stat: objects.stat,
      put: objects.put,
      sync: (keys) => objects.sync(keys),
      touch: objects.touch,
      list: objects.list,
      any: objects.any,
      children: objects.children,
      delete: objects.delete,
      deleteAll: objects.deleteAll,
    },
    blobs: stagedBlobs(objects, options),
  };
}
