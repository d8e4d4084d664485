// The digests that were cached from, or uploaded as, HOST/PATH:TAG. The store's repositories have names without hosts; these records keep hosts apart.
import { canonicalHost, fullReference } from '../../oci/reference.ts';
import type { NameRecords } from '../../registry/policies/full-names.ts';
import { decodeHost, NAMES, nameKey, nameTagsPrefix, parseNameKey } from '../layout/image-keys.ts';
import { linkBytes, parseLink } from '../layout/registry-keys.ts';

import type { Objects } from '../objects.ts';

/** The full names that are recorded in this store. */
export function nameRecords(objects: Objects): NameRecords {
  const read = async (key: string) => parseLink(await objects.get(key));
  const get = (host: string, path: string, tag: string) => read(keyOf(host, path, tag));

  async function hosts(): Promise<readonly string[]> {
    const folders = await objects.children(NAMES);
    return folders.flatMap((folder) => decodeHost(folder) ?? []);
  }

  async function tags(host: string, path: string): Promise<readonly string[]> {
    const full = canonical(host, path);
    return objects.children(nameTagsPrefix(full.host, full.path));
  }

  return {
    get,
    set: async (host, path, tag, digest) => {
      const key = keyOf(host, path, tag);
      await objects.put(key, linkBytes(digest));
      await objects.sync([key]);
    },
    delete: async (host, path, tag) => {
      const key = keyOf(host, path, tag);
      await objects.delete([key]);
      await objects.sync([key]);
    },
    hostsOf: async (path, tag) => {
      const found = await Promise.all(
        (await hosts()).map(async (host) => {
          const digest = await get(host, path, tag);
          return digest ? [{ host, digest }] : [];
        }),
      );
      return found.flat();
    },
    tags,
    tagsOfAnyHost: async (path) => {
      const found = await Promise.all((await hosts()).map((host) => tags(host, path)));
      return new Set(found.flat());
    },
    ofPath: async function* (path) {
      for (const host of await hosts()) {
        for (const tag of await tags(host, path)) {
          const digest = await get(host, path, tag);
          if (digest) yield { host, path: canonical(host, path).path, tag, digest };
        }
      }
    },
    all: async function* () {
      for await (const { key } of objects.list(NAMES)) {
        const name = parseNameKey(key);
        const digest = name && (await read(key));
        if (digest) yield { ...name, digest };
      }
    },
  };
}

function canonical(host: string, path: string): { readonly host: string; readonly path: string } {
  return fullReference({ host: canonicalHost(host), path });
}

function keyOf(host: string, path: string, tag: string): string {
  const full = canonical(host, path);
  return nameKey(full.host, full.path, tag);
}
