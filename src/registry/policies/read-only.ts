// A policy: a registry that can be read but not changed.
import { ImagesError } from '../../oci/errors.ts';
import type { Registry } from '../contract.ts';
import { FORWARD, forwarding } from './forwarding.ts';

/** Refuses every change with READ_ONLY. */
export function readOnly(registry: Registry): Registry {
  const refuse = async (repository: string): Promise<never> => {
    throw new ImagesError('READ_ONLY', `the registry is read-only [${repository}]`);
  };
  return forwarding<Registry>(registry, {
    getManifest: FORWARD,
    statManifest: FORWARD,
    getBlob: FORWARD,
    statBlob: FORWARD,
    repositories: FORWARD,
    tags: FORWARD,
    referrers: FORWARD,
    partialBytes: FORWARD,
    putBlob: refuse,
    openUpload: refuse,
    mountBlob: refuse,
    putManifest: refuse,
    deleteTag: refuse,
    deleteManifest: refuse,
    deleteBlob: refuse,
  });
}
