// A store: small objects and blobs. The registry (stored-registry.ts), builds and the collector know no more of it than these two contracts.
import type { Blobs } from './blobs.ts';
import type { Objects } from './objects.ts';

export interface Store {
  readonly objects: Objects;
  readonly blobs: Blobs;
}
