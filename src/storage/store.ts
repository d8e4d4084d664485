// A store: small objects and blobs. The registry (stored-registry.ts), builds and the collector know no more of it than these two contracts.

import type { Registry } from '../registry/contract.ts';
import type { NameRecords } from '../registry/policies/full-names.ts';
import type { Blobs } from './blobs.ts';
import type { Objects } from './objects.ts';

export interface Store {
  readonly objects: Objects;
  readonly blobs: Blobs;
}

/** A store with the registry over it. */
export interface RegistryStore extends Store {
  /** As clients see it: names with and without hosts (policy host-names). */
  readonly registry: Registry;
  /** The repositories under their stripped names. */
  readonly stripped: Registry;
  /** The recorded full names. */
  readonly names: NameRecords;
}
