// The images in an archive of a store of containerd, each with its manifest and its layers.
import { decodeConfig, type ImageConfig } from '../../oci/config.ts';
import { type Digest, digestHex, isDigest } from '../../oci/digest.ts';
import { isImagesError } from '../../oci/errors.ts';
import { decodeManifest, type ImageManifest, MAX_MANIFEST_SIZE, rawManifest } from '../../oci/manifest.ts';
import { chainIds } from '../chain-ids.ts';
import { type ContainerdArchive, smallBlob } from './containerd-archive.ts';
import { namesForPeople } from './read-containerd-records.ts';

export interface FoundImage {
  /** 64 hexadecimal digits: of the config, or of the target if that is not there. */
  readonly id: string;
  readonly names: readonly string[];
  /** All names, also those for CRI. */
  readonly allNames: readonly string[];
  readonly digest: string;
  /** Absent if it is not there, or cannot be read. */
  readonly manifest: ImageManifest | undefined;
  readonly manifestDigest: Digest | undefined;
  readonly config: ImageConfig | undefined;
  /** The chain ids of the layers that the config names. */
  readonly chain: readonly string[];
  /** In bytes, on a disk. */
  readonly size: number;
}

const MAX_CONFIG = 64 << 20;

/** One image for each target. Whatever is named many times is read once. */
export async function imagesInContainerd(archive: ContainerdArchive): Promise<readonly FoundImage[]> {
  const names = new Map<string, string[]>();
  for (const { digest, name } of archive.meta.names) {
    const known = names.get(digest);
    if (known) known.push(name);
    else names.set(digest, [name]);
  }
  const ids = new Map(archive.snapshotter.snapshots.map((one) => [one.name, one]));
  const sizes = new Map(archive.meta.snapshots.map(({ chain, name }) => [chain, ids.get(name)?.size ?? 0]));
  const behind = new Map<Digest, Behind | undefined>();
  const configs = new Map<Digest, FoundConfig>();
  const found: FoundImage[] = [];
  for (const [digest, all] of names) {
    const image = isDigest(digest) ? await imageBehind(archive, digest, behind) : undefined;
    const { manifest } = image ?? {};
    const { config, chain } = manifest ? await configOf(archive, manifest.config.digest, configs) : NO_CONFIG;
    found.push({
      id: digestHex(manifest?.config.digest ?? (isDigest(digest) ? digest : 'sha256:')),
      names: namesForPeople(all),
      allNames: all.toSorted(),
      digest,
      manifest,
      manifestDigest: image?.digest,
      config,
      chain,
      size: chain.reduce((sum, one) => sum + (sizes.get(one) ?? 0), 0),
    });
  }
  return found;
}

interface Behind {
  readonly digest: Digest;
  readonly manifest: ImageManifest;
}

/** The image at the end: that of an index which is there. `known` has what was found before, and ends circles: no digest is verified yet. */
async function imageBehind(
  archive: ContainerdArchive,
  digest: Digest,
  known: Map<Digest, Behind | undefined>,
): Promise<Behind | undefined> {
  if (known.has(digest)) return known.get(digest);
  known.set(digest, undefined);
  const bytes = await smallBlob(archive, digest, MAX_MANIFEST_SIZE);
  const manifest = bytes && readable(() => decodeManifest(rawManifest(bytes)));
  if (!manifest) return undefined;
  let found: Behind | undefined;
  if (manifest.kind === 'image') found = { digest, manifest };
  else {
    for (const child of manifest.manifests) {
      found = await imageBehind(archive, child.digest, known);
      if (found) break;
    }
  }
  known.set(digest, found);
  return found;
}

type FoundConfig = Pick<FoundImage, 'config' | 'chain'>;

const NO_CONFIG: FoundConfig = { config: undefined, chain: [] };

async function configOf(
  archive: ContainerdArchive,
  digest: Digest,
  known: Map<Digest, FoundConfig>,
): Promise<FoundConfig> {
  const before = known.get(digest);
  if (before) return before;
  const bytes = await smallBlob(archive, digest, MAX_CONFIG);
  const config = bytes && readable(() => decodeConfig(bytes));
  const found = { config, chain: config ? chainIds(config.diffIds) : [] };
  known.set(digest, found);
  return found;
}

function readable<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (isImagesError(error)) return undefined;
    throw error;
  }
}
