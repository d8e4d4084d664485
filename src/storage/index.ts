// The public face of storage/: object stores on disk and in memory, the registry over any of them, and the embedded store with its recorded names.
export {
  type BlobSession,
  type Blobs,
  type BlobWriteOptions,
  type CheckedBlob,
  type CollectOptions,
  type Range as ByteRange,
  type ReadPace,
  type Refer,
  type SessionOptions,
  type StartedBlob,
  type StoredBlob,
  type SweepLimits,
  USE_STEP_MS,
} from './blobs.ts';
export type { CheckOrigin, LastCheck } from './check/check-record.ts';
export type { CheckEvent } from './check/check-store.ts';
export type { Mend, StoreFault, StoreFaultKind } from './check/findings.ts';
export { collectStore } from './collector/collect.ts';
export type { ExpiredTag, KeepRule, Retention } from './collector/retention.ts';
export type {
  Collection,
  CollectionEvent,
  CollectionOptions,
  RemovedManifest,
} from './collector/run.ts';
export { type DiskStoreOptions, diskStore, memoryStore } from './drivers/staged-store.ts';
export {
  type EmbeddedStore,
  embeddedStoreExists,
  openEmbeddedStore,
} from './embedded-store.ts';
export type { SmallFileCounts } from './object-store/small-files.ts';
export type { ObjectInfo, Objects, PutOptions } from './objects.ts';
export type { Space } from './quota/space.ts';
export { type RegistryStoreOptions, registryStore, type StoreRules } from './registry-store.ts';
export type { ExpiryOptions } from './repositories/expiry.ts';
export type { MissedImage } from './repositories/missed-images.ts';
export { nameRecords } from './repositories/name-records.ts';
export { pinnedName } from './repositories/pinned-images.ts';
export type { Pin } from './repositories/pins.ts';
export { type PullCounts, type Pulls, pullCounts, pullsOf } from './repositories/pull-records.ts';
export { type SpaceSample, spaceSamples } from './repositories/space-samples.ts';
export { storedRegistry } from './repositories/stored-registry.ts';
export { type Pull, tellingPulls } from './repositories/telling-pulls.ts';
export type { ImageSpace, RepositorySpace, SpaceUse, StoreSpace } from './space/measure.ts';
export type { RegistryStore, Store } from './store.ts';
