// Why a manifest that has no tag stays, or may go. What came by digest stays: somebody may name it by its digest for ever. What came under a tag, and lost it, may
// go some time after that. A manifest without any record stays, because stores of earlier versions and of other registries have none.
import type { Digest } from '../../oci/digest.ts';
import { isImagesError } from '../../oci/errors.ts';
import { byTagPrefix, cameByDigestKey, cameByTagKey, pulledKey } from '../layout/image-keys.ts';
import type { Objects } from '../objects.ts';
import { digestsBelow } from './links.ts';
import { taggedDigests } from './list-manifests.ts';

/** A manifest that came under a tag only, and has none. */
export interface LostTag {
  readonly digest: Digest;
  /** When that was recorded. */
  readonly since: Date;
}

/** In milliseconds. containerd asks for a tag, then gets the manifest by its digest. If the tag moves in between, the manifest is not wanted for its own sake. */
const BETWEEN_REQUESTS = 3600 * 1000;

type State = 'tagged' | 'untagged';

export interface ManifestHistory {
  /** Records that the manifest came, or was asked for, by its digest. Returns the key, for `sync`. */
  cameByDigest(repository: string, digest: Digest): Promise<string>;
  /** To be called before the manifest gets a tag. */
  getsTag(repository: string, digest: Digest): Promise<void>;
  /** To be called before a tag leaves the manifest. */
  losesTag(repository: string, digest: Digest): Promise<void>;
  /** To be called when somebody gets the manifest by its digest: without a tag, it is wanted for its own sake. `isGot`, asked only if that matters: from there. */
  gotByDigest(repository: string, digest: Digest, isGot: () => Promise<boolean>): Promise<void>;
  /**
   * Manifests that came under a tag only, and are not among `tagged`. If the record of one says that it has a tag, another program has removed the tag, or it
   * never got it: then it counts as having lost its tag now (recorded, if `isRecorded`), and is not among the results yet.
   */
  untagged(
    repository: string,
    tagged: ReadonlySet<Digest>,
    options?: { readonly isRecorded?: boolean },
  ): AsyncIterable<LostTag>;
  hasComeByDigest(repository: string, digest: Digest): Promise<boolean>;
  /** Whether the manifest goes by itself some time after it has lost its last tag. */
  goesWithoutTag(repository: string, digest: Digest): Promise<boolean>;
  /** Removes all records of the manifests, those of their pulls as well. */
  forget(repository: string, digests: readonly Digest[]): Promise<void>;
}

export function manifestHistory(objects: Objects): ManifestHistory {
  const hasComeByDigest: ManifestHistory['hasComeByDigest'] = async (repository, digest) =>
    (await objects.stat(cameByDigestKey(repository, digest))) !== undefined;

  const cameByDigest: ManifestHistory['cameByDigest'] = async (repository, digest) => {
    const key = cameByDigestKey(repository, digest);
    await ifWritable(() => objects.put(key, new Uint8Array(), { ifAbsent: true }));
    return key;
  };

  async function recordOf(
    repository: string,
    digest: Digest,
  ): Promise<{ readonly state: State; readonly since: Date } | undefined> {
    const key = cameByTagKey(repository, digest);
    const bytes = objects.kept?.(key) ?? (await objects.get(key));
    const [state, time = ''] = bytes ? Buffer.from(bytes).toString().split(' ') : [];
    const since = new Date(time);
    return (state === 'tagged' || state === 'untagged') && !Number.isNaN(since.getTime())
      ? { state, since }
      : undefined;
  }

  /** Best effort: without a record, the manifest stays. A full disk is no error, because removing a tag must not need space. */
  async function record(repository: string, digest: Digest, state: State, ifAbsent = false): Promise<boolean> {
    const text = Buffer.from(`${state} ${new Date().toISOString()}`);
    const write = () => objects.put(cameByTagKey(repository, digest), text, { volatile: true, ifAbsent });
    return await ifWritable(write, 'NO_SPACE');
  }

  return {
    cameByDigest,
    hasComeByDigest,
    goesWithoutTag: async (repository, digest) =>
      (await recordOf(repository, digest)) !== undefined && !(await hasComeByDigest(repository, digest)),
    getsTag: async (repository, digest) => {
      if (await record(repository, digest, 'tagged', true)) return;
      if ((await recordOf(repository, digest))?.state !== 'tagged') await record(repository, digest, 'tagged');
    },
    losesTag: async (repository, digest) => {
      await record(repository, digest, 'untagged');
    },
    gotByDigest: async (repository, digest, isGot) => {
      const found = await recordOf(repository, digest);
      if (found?.state !== 'untagged' || Date.now() - found.since.getTime() < BETWEEN_REQUESTS) return;
      if (!(await isGot())) return;
      if ((await taggedDigests(objects, repository)).has(digest)) await record(repository, digest, 'tagged');
      else await cameByDigest(repository, digest);
    },
    untagged: async function* (repository, tagged, { isRecorded = true } = {}) {
      for await (const digest of digestsBelow(objects, byTagPrefix(repository))) {
        if (tagged.has(digest)) continue;
        const found = await recordOf(repository, digest);
        if (found?.state === 'tagged') {
          if (isRecorded) await record(repository, digest, 'untagged');
        } else if (found && !(await hasComeByDigest(repository, digest))) yield { digest, since: found.since };
      }
    },
    forget: (repository, digests) =>
      objects.delete(
        digests.flatMap((digest) =>
          [cameByTagKey, cameByDigestKey, pulledKey].map((keyOf) => keyOf(repository, digest)),
        ),
      ),
  };
}

/** Returns false if nothing was written. A process that cannot write to the store adds nothing to it, so nothing needs a record. */
async function ifWritable(write: () => Promise<boolean>, ...codes: readonly 'NO_SPACE'[]): Promise<boolean> {
  try {
    return await write();
  } catch (error) {
    if (!isImagesError(error, 'READ_ONLY', 'NO_ACCESS', ...codes)) throw error;
    return false;
  }
}
