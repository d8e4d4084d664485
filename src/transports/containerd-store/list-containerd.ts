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
/** Indexes that contain each other are no deeper than this. */
const MAX_DEPTH = 4;

/** One image for each target. */
export async function imagesInContainerd(archive: ContainerdArchive): Promise<readonly FoundImage[]> {
  const names = new Map<string, string[]>();
  for (const { digest, name } of archive.meta.names) names.set(digest, [...(names.get(digest) ?? []), name]);
  const ids = new Map(archive.snapshotter.snapshots.map((one) => [one.name, one]));
  const sizes = new Map(archive.meta.snapshots.map(({ chain, name }) => [chain, ids.get(name)?.size ?? 0]));
  const found: FoundImage[] = [];
  for (const [digest, all] of names) {
    const image = isDigest(digest) ? await imageBehind(archive, digest) : undefined;
    const { manifest, config } = image ?? {};
    const chain = config ? chainIds(config.diffIds) : [];
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
  readonly config: ImageConfig | undefined;
}

/** The image at the end: that of an index which is there. */
async function imageBehind(archive: ContainerdArchive, digest: Digest, depth = 0): Promise<Behind | undefined> {
  const bytes = await smallBlob(archive, digest, MAX_MANIFEST_SIZE);
  const manifest = bytes && readable(() => decodeManifest(rawManifest(bytes)));
  if (!manifest || depth > MAX_DEPTH) return undefined;
  if (manifest.kind === 'index') {
    for (const child of manifest.manifests) {
      const found = await imageBehind(archive, child.digest, depth + 1);
      if (found) return found;
    }
    return undefined;
  }
  const config = await smallBlob(archive, manifest.config.digest, MAX_CONFIG);
  return { digest, manifest, config: config && readable(() => decodeConfig(config)) };
}

function readable<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (isImagesError(error)) return undefined;
    throw error;
  }
}
