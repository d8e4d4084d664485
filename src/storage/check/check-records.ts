// Stale records: full names, referrers and built images whose manifest is not there (any more). Nothing is lost when they go.
import { successors } from '../../oci/manifest.ts';
import { BUILT, NAMES, parseBuiltKey, parseNameKey, parseReferrerKey, REFERRER_RECORDS } from '../layout/image-keys.ts';
import { parseLink, revisionLinkKey } from '../layout/registry-keys.ts';
import type { StoreFault } from './findings.ts';
import type { Look } from './look.ts';

export async function checkRecords(look: Look): Promise<void> {
  await checkNames(look);
  await checkReferrers(look);
  await checkBuilt(look);
}

const stale = (where: string): StoreFault => ({ kind: 'stale-record', where, mend: 'delete', images: [] });

async function checkNames(look: Look): Promise<void> {
  const { objects } = look.store;
  for await (const { key, modified } of objects.list(NAMES)) {
    await look.step();
    const name = parseNameKey(key);
    if (!name || modified > look.before) continue;
    const digest = parseLink(await objects.get(key));
    const repositories = [name.path, `${name.host}/${name.path}`];
    const links = digest
      ? await Promise.all(repositories.map((repository) => objects.stat(revisionLinkKey(repository, digest))))
      : [];
    if (links.every((link) => link === undefined)) look.found(stale(key));
  }
}

async function checkReferrers(look: Look): Promise<void> {
  const { objects } = look.store;
  for await (const { key, modified } of objects.list(REFERRER_RECORDS)) {
    await look.step();
    const record = parseReferrerKey(key);
    if (!record || modified > look.before) continue;
    const { repository, referrer } = record;
    if (!(await objects.stat(revisionLinkKey(repository, referrer)))) {
      look.found(stale(key));
      continue;
    }
    const found = await look.manifest(referrer);
    const isRight = found?.manifest?.subject?.digest === record.subject && (await says(look, key, referrer));
    if (found?.manifest?.subject?.digest === record.subject && !isRight) {
      look.found({ kind: 'missing-record', where: key, digest: referrer, mend: 'write', images: [] });
    }
  }
}

/** Whether the record holds a descriptor of this digest. A truncated record does not parse as JSON. */
async function says(look: Look, key: string, digest: string): Promise<boolean> {
  const bytes = await look.store.objects.get(key);
  try {
    return (JSON.parse(Buffer.from(bytes ?? []).toString()) as { digest?: unknown }).digest === digest;
  } catch {
    return false;
  }
}

async function checkBuilt(look: Look): Promise<void> {
  const { objects } = look.store;
  for await (const { key, modified } of objects.list(BUILT)) {
    await look.step();
    const name = parseBuiltKey(key);
    const digest = parseLink(await objects.get(key));
    if (!name) continue;
    // A link that a power cut emptied counts as absent.
    if (!digest) {
      if (modified <= look.before) look.found(stale(key));
      continue;
    }
    const images = [`${name} (built here)`];
    const found = await look.manifest(digest);
    if (!found) look.lost({ digest, isManifest: true, images });
    for (const blob of found?.manifest ? successors(found.manifest).blobs : []) {
      if (!(await look.isWhole(blob.digest))) look.lost({ digest: blob.digest, size: blob.size, images });
    }
  }
}
