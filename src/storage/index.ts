// The public face of storage/: object stores on disk and in memory, the registry over any of them, and the embedded store with its recorded names.
export {
  type EmbeddedStore,
  type EmbeddedStoreOptions,
  embeddedStoreExists,
  openEmbeddedStore,
} from './embedded-store.ts';
export type { ExpiryOptions } from './expiry.ts';
export { type FsObjectStoreOptions, openFsObjectStore } from './fs-object-store.ts';
export { createMemoryObjectStore } from './memory-object-store.ts';
export { nameRecords } from './name-records.ts';
export type {
  ObjectInfo,
  ObjectStore,
  PublishOptions,
  Range as ByteRange,
  Stage,
  StageOptions,
  SweepLimits,
} from './object-store.ts';
export { storedRegistry } from './stored-registry.ts';
