// Manifests that were served and whose blobs are still to come. They are few and small, so they are in memory; the store has them for the time after a restart.
import type { Descriptor } from '../../oci/descriptor.ts';
import type { Digest } from '../../oci/digest.ts';
import { decodeManifest, type RawManifest, type Successors, successors } from '../../oci/manifest.ts';
import type { PendingManifests, UpstreamName, UpstreamTag } from './contract.ts';
import { isUnstorable } from './upstream-errors.ts';
import { upstreamText } from './upstream-name.ts';

export interface KnownManifest {
  readonly name: UpstreamName;
  readonly manifest: RawManifest;
  readonly named: Successors;
  readonly tags: Set<string>;
}

export interface KnownManifests {
  /** Errors: MANIFEST_INVALID. */
  add(name: UpstreamName, manifest: RawManifest, tag?: string): Promise<KnownManifest>;
  get(name: UpstreamName, digest: string): KnownManifest | undefined;
  /** What the tag was when it was last looked for. */
  tagged(name: UpstreamTag): KnownManifest | undefined;
  /** The manifests of this repository that name the blob, with its descriptor there. */
  naming(name: UpstreamName, blob: Digest): readonly { readonly known: KnownManifest; readonly blob: Descriptor }[];
  /** Indexes of this repository that name the manifest. */
  parentsOf(name: UpstreamName, child: Digest): readonly KnownManifest[];
  hostsOf(path: string): readonly string[];
  delete(known: KnownManifest): Promise<void>;
  /** Reads what an earlier process has left. To be awaited before all else. */
  load(): Promise<void>;
}

const MOST = 1000;
/** In bytes. */
const MOST_BYTES = 64 * 1024 * 1024;

export function knownManifests(stored: PendingManifests): KnownManifests {
  /** By repository, then by digest; what was added last comes last. */
  const all = new Map<string, KnownManifest>();
  let bytes = 0;
  let loading: Promise<void> | undefined;

  const keyOf = (name: UpstreamName, digest: string) => upstreamText(name, digest);
  const ofName = (name: UpstreamName) =>
    [...all.values()].filter(({ name: { host, path } }) => host === name.host && path === name.path);

  function hold(known: KnownManifest): void {
    const key = keyOf(known.name, known.manifest.digest);
    bytes += known.manifest.bytes.length - (all.get(key)?.manifest.bytes.length ?? 0);
    all.delete(key);
    all.set(key, known);
  }

  async function drop(known: KnownManifest): Promise<void> {
    const key = keyOf(known.name, known.manifest.digest);
    if (!all.delete(key)) return;
    bytes -= known.manifest.bytes.length;
    await unlessUnstorable(() => stored.delete(known.name, known.manifest.digest));
  }

  async function makeRoom(): Promise<void> {
    for (const oldest of all.values()) {
      if (all.size <= MOST && bytes <= MOST_BYTES) return;
      await drop(oldest);
    }
  }

  const known = (name: UpstreamName, manifest: RawManifest, tags: readonly string[]): KnownManifest => ({
    name,
    manifest,
    named: successors(decodeManifest(manifest)),
    tags: new Set(tags),
  });

  return {
    add: async (name, manifest, tag) => {
      const found = all.get(keyOf(name, manifest.digest)) ?? known(name, manifest, []);
      if (tag !== undefined) {
        for (const other of ofName(name)) other.tags.delete(tag);
        found.tags.add(tag);
      }
      hold(found);
      await unlessUnstorable(() => stored.put({ ...name, manifest, tags: [...found.tags] }));
      await makeRoom();
      return found;
    },
    get: (name, digest) => all.get(keyOf(name, digest)),
    tagged: (name) => ofName(name).find(({ tags }) => tags.has(name.tag)),
    naming: (name, digest) =>
      ofName(name).flatMap((one) => {
        const blob = one.named.blobs.find((each) => each.digest === digest);
        return blob ? [{ known: one, blob }] : [];
      }),
    parentsOf: (name, child) =>
      ofName(name).filter(({ named }) => named.manifests.some(({ digest }) => digest === child)),
    hostsOf: (path) => [...all.values()].flatMap(({ name }) => (name.path === path ? [name.host] : [])),
    delete: drop,
    load: () => {
      loading ??= (async () => {
        for await (const { host, path, manifest, tags } of stored.all()) {
          const name = { host, path };
          if (all.has(keyOf(name, manifest.digest))) continue;
          hold(known(name, manifest, tags));
          await makeRoom();
        }
      })().catch((error: unknown) => {
        // A store that could not be read for a moment is read again.
        loading = undefined;
        throw error;
      });
      return loading;
    },
  };
}

/** What is in memory serves; only a restart forgets it. */
async function unlessUnstorable(write: () => Promise<void>): Promise<void> {
  try {
    await write();
  } catch (error) {
    if (!isUnstorable(error)) throw error;
  }
}
