// A store in a directory that is written to only as long as a check passes: that of a registry that runs.
import { checkedObjects } from '../object-store/checked-objects.ts';
import { openFsObjectStore } from '../object-store/fs-object-store.ts';
import type { Store } from '../store.ts';
import { type DiskStoreOptions, stagedStore } from './staged-store.ts';

/** `check` is called before something is written, and throws where nothing is to be written. */
export function checkedDiskStore(directory: string, check: () => Promise<void>, options: DiskStoreOptions = {}): Store {
  return stagedStore(checkedObjects(openFsObjectStore(directory, options), check));
}
