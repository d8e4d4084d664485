// What one look over a store shares: which blobs are whole (each is asked for once), and what was found.
import { type Digest, digestAlgorithm, digestOf } from '../../oci/digest.ts';
import { isImagesError } from '../../oci/errors.ts';
import { decodeManifest, MAX_MANIFEST_SIZE, type Manifest, type RawManifest, rawManifest } from '../../oci/manifest.ts';
import { wholeContent } from '../repositories/read-blob.ts';
import type { RegistryStore } from '../store.ts';
import type { LostBlob, StoreFault } from './findings.ts';

export interface FoundManifest {
  readonly raw: RawManifest;
  /** `undefined` for unknown kinds, which a volume of another registry may hold. */
  readonly manifest: Manifest | undefined;
}

export interface LostUse {
  readonly digest: Digest;
  readonly size?: number;
  readonly isManifest?: boolean;
  readonly repository?: string;
  readonly images: readonly string[];
}

export interface Look {
  readonly store: RegistryStore;
  /** Links and records that are younger than this are never called stale: they may be in the middle of being written or removed. */
  readonly before: Date;
  isWhole(digest: Digest): Promise<boolean>;
  /** `undefined` if its blob is not whole, or no manifest. */
  manifest(digest: Digest): Promise<FoundManifest | undefined>;
  found(finding: StoreFault): void;
  /** To be called for each missing or damaged blob that a manifest or a record names. */
  lost(use: LostUse): void;
  /** To be called after each small piece of work. Throws when the look is to end. */
  step(): Promise<void>;
}

/** How many findings are kept, and how many images of each: they bound the memory of one look. */
const MOST_FINDINGS = 10_000;
const MOST_NAMED = 100;

export interface Looked {
  readonly look: Look;
  readonly findings: readonly StoreFault[];
  readonly lost: ReadonlyMap<Digest, LostBlob>;
  readonly isMore: () => boolean;
}

export function newLook(store: RegistryStore, before: Date, step: () => Promise<void>): Looked {
  const whole = new Map<Digest, boolean>();
  const findings: StoreFault[] = [];
  const lost = new Map<Digest, LostBlob>();
  let isMore = false;

  const isWhole: Look['isWhole'] = async (digest) => {
    const known = whole.get(digest);
    if (known !== undefined) return known;
    const found = (await store.blobs.find(digest)) !== undefined;
    whole.set(digest, found);
    return found;
  };

  const look: Look = {
    store,
    before,
    isWhole,
    manifest: async (digest) => {
      if (!(await isWhole(digest))) return undefined;
      const bytes = await wholeContent(store.blobs, digest, MAX_MANIFEST_SIZE);
      if (bytes && digestOf(bytes, digestAlgorithm(digest)) !== digest) {
        // It was damaged since it was hashed.
        await store.blobs.doubt(digest);
        whole.set(digest, false);
        return undefined;
      }
      const raw = bytes && ifValid(() => rawManifest(bytes, undefined, digestAlgorithm(digest)));
      return raw && { raw, manifest: ifValid(() => decodeManifest(raw)) };
    },
    found: (finding) => {
      if (findings.length < MOST_FINDINGS) findings.push(finding);
      else isMore = true;
    },
    lost: ({ digest, size, isManifest = false, repository, images }) => {
      const known = lost.get(digest);
      if (!known && lost.size >= MOST_FINDINGS) {
        isMore = true;
        return;
      }
      const named = new Set([...(known?.images ?? []), ...images]);
      const repositories = new Set([...(known?.repositories ?? []), ...(repository === undefined ? [] : [repository])]);
      lost.set(digest, {
        digest,
        size: known?.size ?? size,
        isManifest: isManifest || (known?.isManifest ?? false),
        repositories: [...repositories].slice(0, MOST_NAMED),
        images: [...named].slice(0, MOST_NAMED).sort(),
      });
    },
    step,
  };
  return { look, findings, lost, isMore: () => isMore };
}

function ifValid<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (isImagesError(error, 'MANIFEST_INVALID', 'UNSUPPORTED')) return undefined;
    throw error;
  }
}
