// Objects that are written only as long as a check passes: a directory that was unmounted while its registry runs must not be made anew.
import type { ObjectStore } from './object-store.ts';

/** `check` is called before all that makes files and folders. */
export function checkedObjects(objects: ObjectStore, check: () => Promise<void>): ObjectStore {
  return {
    ...objects,
    put: async (...args) => {
      await check();
      return await objects.put(...args);
    },
    move: async (...args) => {
      await check();
      return await objects.move(...args);
    },
    stage: async (id, options) => {
      if (!options?.mustExist) await check();
      return await objects.stage(id, options);
    },
  };
}
