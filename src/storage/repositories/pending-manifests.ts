// Manifests that the proxy has served before their blobs were here, for the time after a restart: the proxy holds them in memory and limits their number.
import { isObject } from '../../oci/decode.ts';
import { digestAlgorithm, digestOf } from '../../oci/digest.ts';
import { rawManifest } from '../../oci/manifest.ts';
import { isTag } from '../../oci/reference.ts';
import type { PendingManifest, PendingManifests } from '../../registry/pull-through/contract.ts';
import { PENDING, parsePendingKey, pendingKey } from '../layout/proxy-keys.ts';
import type { Objects } from '../objects.ts';
import { recordIn } from './pull-records.ts';

/** Pending manifests in this store. What is damaged counts as absent: it is asked for again. */
export function pendingManifests(objects: Objects): PendingManifests {
  async function read(key: string): Promise<PendingManifest | undefined> {
    const name = parsePendingKey(key);
    const bytes = name && (await objects.get(key));
    const fields = bytes && bytes.length > 0 ? recordIn(bytes, 'pending manifest') : undefined;
    if (!name || !isObject(fields) || typeof fields.mediaType !== 'string' || typeof fields.bytes !== 'string') {
      return undefined;
    }
    const content = Buffer.from(fields.bytes, 'base64');
    if (digestOf(content, digestAlgorithm(name.digest)) !== name.digest) return undefined;
    const tags = Array.isArray(fields.tags) ? fields.tags.filter((tag) => typeof tag === 'string' && isTag(tag)) : [];
    const manifest = rawManifest(content, fields.mediaType, digestAlgorithm(name.digest));
    return { host: name.host, path: name.path, manifest, tags };
  }

  return {
    all: async function* () {
      for await (const { key } of objects.list(PENDING)) {
        const pending = await read(key);
        if (pending) yield pending;
      }
    },
    put: async ({ host, path, manifest, tags }) => {
      const { mediaType, bytes, digest } = manifest;
      const text = JSON.stringify({ mediaType, tags, bytes: Buffer.from(bytes).toString('base64') });
      await objects.put(pendingKey(host, path, digest), Buffer.from(text), { volatile: true });
    },
    delete: ({ host, path }, digest) => objects.delete([pendingKey(host, path, digest)]),
  };
}
