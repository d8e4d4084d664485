// A registry over a store: blobs, manifests, tags, referrers and uploads in docker registry:2's layout (layout/).
import type { Registry } from '../../registry/contract.ts';
import type { Store } from '../store.ts';
import { type ExpiryOptions, expiry } from './expiry.ts';
import { storedBlobs } from './stored-blobs.ts';
import { storedManifests } from './stored-manifests.ts';
import { storedUploads } from './stored-uploads.ts';

/**
 * A Registry over this store. Other processes may write to the same store at the same time. A tag, with all that it
 * needs, is durable when `putManifest` resolves.
 */
export function storedRegistry(store: Store, options: ExpiryOptions = {}): Registry {
  const unfinished = expiry(store.blobs, options);
  const blobs = storedBlobs(store, unfinished);
  return { ...blobs, ...storedManifests(store, blobs.statBlob), ...storedUploads(store, unfinished) };
}
