// The public face of storage/: object stores on disk and in memory, the registry over any of them, and the embedded store with its recorded names.
export {
  type BlobSession,
  type Blobs,
  type Range as ByteRange,
  type Refer,
  type SessionOptions,
  type StartedBlob,
  type StoredBlob,
  type SweepLimits,
  USE_STEP_MS,
  type WriteOptions,
} from './blobs.ts';
export {
  type EmbeddedStore,
  type EmbeddedStoreOptions,
  embeddedStoreExists,
  openEmbeddedStore,
} from './embedded-store.ts';
export type { ExpiryOptions } from './expiry.ts';
export { nameRecords } from './name-records.ts';
export type { ObjectInfo, Objects, PutOptions } from './objects.ts';
export { diskStore, memoryStore } from './staged-store.ts';
export type { Store } from './store.ts';
export { storedRegistry } from './stored-registry.ts';
