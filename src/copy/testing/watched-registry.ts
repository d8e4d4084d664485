// A registry that counts its requests, and fails when a test says so.
import type { Bytes } from '../../io/streams/bytes.ts';
import type { Digest } from '../../oci/digest.ts';
import type { Registry } from '../../registry/contract.ts';

export interface Asked {
  /** `getManifest library/a:1`, `getBlob a@sha256:…`, in order. */
  readonly calls: string[];
  /** Number of calls of this method. */
  count(method: string): number;
  /** The number of reads of each blob. */
  blobs(): ReadonlyMap<string, number>;
  /** Bytes of blobs that were delivered. */
  bytes: number;
  /** The highest number of simultaneous blob reads. */
  most: number;
}

export interface Faults {
  /** Called before each request: may wait, or throw. */
  before?(method: string, what: string): Promise<void> | void;
  /** Breaks the body of a blob off with this error after this many bytes. */
  breakOff?(digest: Digest): { readonly after: number; readonly error: Error } | undefined;
}

export function watchedRegistry(registry: Registry, faults: Faults = {}): { registry: Registry; asked: Asked } {
  let open = 0;
  const asked: Asked = {
    calls: [],
    bytes: 0,
    most: 0,
    count: (method) => asked.calls.filter((call) => call.startsWith(`${method} `)).length,
    blobs: () => {
      const counts = new Map<string, number>();
      for (const call of asked.calls) {
        if (!call.startsWith('getBlob ')) continue;
        const digest = call.slice(call.indexOf('@') + 1);
        counts.set(digest, (counts.get(digest) ?? 0) + 1);
      }
      return counts;
    },
  };
  const note = async (method: string, what: string) => {
    asked.calls.push(`${method} ${what}`);
    await faults.before?.(method, what);
  };
  async function* counted(body: Bytes, digest: Digest): Bytes {
    const broken = faults.breakOff?.(digest);
    let sent = 0;
    open++;
    asked.most = Math.max(asked.most, open);
    try {
      for await (const chunk of body) {
        if (broken && sent + chunk.length > broken.after) {
          yield chunk.subarray(0, broken.after - sent);
          throw broken.error;
        }
        sent += chunk.length;
        asked.bytes += chunk.length;
        yield chunk;
      }
    } finally {
      open--;
    }
  }
  return {
    asked,
    registry: {
      ...registry,
      async getManifest(repository, reference, options) {
        await note('getManifest', join(repository, reference));
        return registry.getManifest(repository, reference, options);
      },
      async statManifest(repository, reference, options) {
        await note('statManifest', join(repository, reference));
        return registry.statManifest(repository, reference, options);
      },
      async getBlob(repository, digest, options) {
        await note('getBlob', join(repository, digest));
        const found = await registry.getBlob(repository, digest, options);
        return { ...found, body: counted(found.body, digest) };
      },
      async statBlob(repository, digest, options) {
        await note('statBlob', join(repository, digest));
        return registry.statBlob(repository, digest, options);
      },
      async putBlob(repository, blob, open, options) {
        await note('putBlob', join(repository, blob.digest));
        await registry.putBlob(repository, blob, open, options);
      },
      async mountBlob(repository, digest, from, options) {
        await note('mountBlob', `${join(repository, digest)} from ${from}`);
        return registry.mountBlob(repository, digest, from, options);
      },
      async putManifest(repository, manifest, tags, options) {
        await note('putManifest', `${join(repository, manifest.digest)} ${tags.join(',')}`);
        await registry.putManifest(repository, manifest, tags, options);
      },
    },
  };
}

function join(repository: string, reference: string): string {
  return reference.includes(':') ? `${repository}@${reference}` : `${repository}:${reference}`;
}
