// A registry over an object store: blobs, manifests, tags, referrers and uploads in docker registry:2's layout (layout.ts).
import type { Registry } from '../registry/contract.ts';
import { type ExpiryOptions, expiry } from './expiry.ts';
import type { ObjectStore } from './object-store.ts';
import { storedBlobs } from './stored-blobs.ts';
import { storedManifests } from './stored-manifests.ts';
import { storedUploads } from './stored-uploads.ts';

/**
 * A Registry over these objects. Other processes may write to the same objects at the same time. A tag, with all that it
 * needs, is durable when `putManifest` resolves.
 */
export function storedRegistry(objects: ObjectStore, options: ExpiryOptions = {}): Registry {
  const unfinished = expiry(objects, options);
  const blobs = storedBlobs(objects, unfinished);
  return { ...blobs, ...storedManifests(objects, blobs.statBlob), ...storedUploads(objects, unfinished) };
}
