// Why a manifest that has no tag stays, or may go. What came by digest stays: somebody may name it by its digest for ever. What came under a tag, and lost it, may
// go some time after that. A manifest without any record stays, because stores of earlier versions and of other registries have none.
import type { Digest } from '../../oci/digest.ts';
import { isImagesError } from '../../oci/errors.ts';
import { cameByDigestKey, historyPrefix, parseHistoryKey, untaggedKey } from '../layout.ts';
import type { Objects } from '../objects.ts';

export interface LostTag {
  readonly digest: Digest;
  readonly since: Date;
}

/** In milliseconds. containerd asks for a tag, then gets the manifest by its digest: who does so just after the tag has moved does not want the digest. */
const BETWEEN_REQUESTS = 3600 * 1000;

export interface ManifestHistory {
  /** Records that the manifest came, or was asked for, by its digest. Returns the key, for `sync`. */
  cameByDigest(repository: string, digest: Digest): Promise<string>;
  /** To be called before the tag leaves the manifest. */
  losesTag(repository: string, digest: Digest): Promise<void>;
  /** To be called when somebody gets the manifest by its digest: without a tag, it is wanted for its own sake. */
  gotByDigest(repository: string, digest: Digest): Promise<void>;
  /** Those that came under a tag only, and lost it. A later tag does not change the record. */
  untagged(repository: string): AsyncIterable<LostTag>;
  hasComeByDigest(repository: string, digest: Digest): Promise<boolean>;
  forget(repository: string, digests: readonly Digest[]): Promise<void>;
}

export function manifestHistory(objects: Objects): ManifestHistory {
  const hasComeByDigest: ManifestHistory['hasComeByDigest'] = async (repository, digest) =>
    (await objects.stat(cameByDigestKey(repository, digest))) !== undefined;

  const cameByDigest: ManifestHistory['cameByDigest'] = async (repository, digest) => {
    const key = cameByDigestKey(repository, digest);
    try {
      await objects.put(key, new Uint8Array(), { ifAbsent: true });
    } catch (error) {
      // Whoever cannot write to the store has brought nothing: all of it was there.
      if (!isImagesError(error, 'READ_ONLY', 'NO_ACCESS')) throw error;
    }
    return key;
  };

  async function sinceWhen(repository: string, digest: Digest): Promise<Date | undefined> {
    const bytes = await objects.get(untaggedKey(repository, digest));
    const since = bytes && new Date(Buffer.from(bytes).toString());
    return since && !Number.isNaN(since.getTime()) ? since : undefined;
  }

  return {
    cameByDigest,
    hasComeByDigest,
    losesTag: async (repository, digest) => {
      const now = Buffer.from(new Date().toISOString());
      // A record that a power cut loses only means that the manifest stays.
      await objects.put(untaggedKey(repository, digest), now, { volatile: true });
    },
    gotByDigest: async (repository, digest) => {
      const since = await sinceWhen(repository, digest);
      if (since && Date.now() - since.getTime() > BETWEEN_REQUESTS) await cameByDigest(repository, digest);
    },
    untagged: async function* (repository) {
      for await (const { key } of objects.list(historyPrefix(repository))) {
        const digest = parseHistoryKey(repository, key);
        if (digest === undefined || key !== untaggedKey(repository, digest)) continue;
        const since = await sinceWhen(repository, digest);
        if (since && !(await hasComeByDigest(repository, digest))) yield { digest, since };
      }
    },
    forget: (repository, digests) =>
      objects.delete(
        digests.flatMap((digest) => [untaggedKey(repository, digest), cameByDigestKey(repository, digest)]),
      ),
  };
}
