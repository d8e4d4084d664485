// Mends links and records: writes those whose content is known, and deletes those that lead nowhere.
import { parseReferrerKey } from '../layout/image-keys.ts';
import { linkBytes } from '../layout/registry-keys.ts';
import { recordReferrer } from '../repositories/stored-referrers.ts';
import type { RegistryStore } from '../store.ts';
import type { StoreFault } from './findings.ts';
import { newLook } from './look.ts';

/** Returns false for findings of other kinds. Durable when it resolves. Errors: NO_SPACE, READ_ONLY, NO_ACCESS. */
export async function mendLink(store: RegistryStore, finding: StoreFault): Promise<boolean> {
  const { mend, where, digest } = finding;
  if (mend === 'delete') return await deleteStale(store, finding);
  if (mend !== 'write' || !digest) return false;
  if (finding.kind === 'missing-record') return await writeReferrer(store, finding);
  await store.objects.put(where, linkBytes(digest));
  await store.objects.sync([where]);
  return true;
}

async function deleteStale({ objects, blobs }: RegistryStore, { kind, where, digest }: StoreFault): Promise<boolean> {
  await objects.delete([where]);
  // A push of such a blob writes the blob first and its link afterwards, so a blob that is there again gets its link back.
  if (kind === 'stale-link' && digest && (await blobs.find(digest))) await objects.put(where, linkBytes(digest));
  await objects.sync([where]);
  return true;
}

async function writeReferrer(store: RegistryStore, { where, digest }: StoreFault): Promise<boolean> {
  const record = parseReferrerKey(where);
  const found = digest && (await newLook(store, new Date(), async () => {}).look.manifest(digest));
  if (!record || !found?.manifest) return false;
  await recordReferrer(store.objects, record.repository, found.raw, found.manifest);
  return true;
}
