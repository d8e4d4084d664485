// The images of the OCI layout that newer tools write into a docker-archive, beside Docker's own list.
import type { Descriptor } from '../../oci/descriptor.ts';
import type { Digest } from '../../oci/digest.ts';
import { ImagesError, isImagesError } from '../../oci/errors.ts';
import { decodeManifest, type Manifest, successors } from '../../oci/manifest.ts';
import type { ArchiveFile } from '../archive/archive-file.ts';
import type { ContainedImage } from '../contract.ts';
import { blobPath } from '../layout/layout-files.ts';
import { namesOf } from '../layout/layout-index.ts';
import { layoutLists, layoutSource, readLayoutIndex, readManifest } from '../layout/layout-source.ts';
import { type DockerItem, MANIFEST_FILE } from './docker-manifest.ts';

export interface LayoutImage extends ContainedImage {
  /** Paths of the layers by path of the config, for an image or for each image of an index. Incomplete images are left out. */
  readonly layers: ReadonlyMap<string, readonly string[]>;
}

/** Checks that both descriptions of an image in the archive agree. Only layer files in `blobs/` can be compared. Errors: MANIFEST_INVALID. */
export function requireSameLayers(archive: ArchiveFile, item: DockerItem, layers: readonly string[]): void {
  const isOther = (path: string, at: number) => {
    const { name = path } = archive.find(path) ?? {};
    return name.startsWith('blobs/') && name !== layers[at];
  };
  if (item.layers.length === layers.length && !item.layers.some(isOther)) return;
  const named = `${item.layers.length} layers in ${MANIFEST_FILE}, ${layers.length} in the manifest beside it`;
  const which = item.layers.length === layers.length ? 'other layers in each' : named;
  throw new ImagesError(
    'MANIFEST_INVALID',
    `the archive describes an image twice and differently: ${which} [${item.repoTags[0] ?? item.config} of ${archive.label}]`,
    { hint: 'Pre-releases of Docker 25 wrote such archives: save the image again.' },
  );
}

/** The images that have a name or are complete. An index is complete if at least one of its images is. */
export async function readLayoutImages(archive: ArchiveFile): Promise<readonly LayoutImage[]> {
  const names = new Map<Digest, Set<string>>();
  const entries = await readLayoutIndex(archive);
  for (const entry of entries) {
    const known = names.get(entry.digest) ?? new Set<string>();
    names.set(entry.digest, known);
    // A bare tag does not count as a name here.
    for (const name of namesOf(entry)) if (/[:/]/.test(name)) known.add(name);
  }
  const lists = layoutLists(archive);
  const images: LayoutImage[] = [];
  const seen: Seen = new Map();
  for (const entry of new Map(entries.map((one) => [one.digest, one])).values()) {
    const layers = await presentImages(archive, entry, seen);
    const known = [...(names.get(entry.digest) ?? [])];
    if (layers.size === 0 && known.length === 0) continue;
    images.push({ names: known, layers, source: () => layoutSource(archive, { digest: entry.digest }, lists) });
  }
  return images;
}

type PresentImages = ReadonlyMap<string, readonly string[]>;
type Seen = Map<Digest, Promise<PresentImages>>;

/** The path of each config with those of its image's layers. Each manifest is read once, even if several indexes name it. */
async function presentImages(archive: ArchiveFile, entry: Descriptor, seen: Seen): Promise<PresentImages> {
  const known = seen.get(entry.digest) ?? lookInto(archive, entry, seen);
  seen.set(entry.digest, known);
  return await known;
}

async function lookInto(archive: ArchiveFile, entry: Descriptor, seen: Seen): Promise<PresentImages> {
  let manifest: Manifest;
  try {
    manifest = decodeManifest(await readManifest(archive, entry));
  } catch (error) {
    if (isImagesError(error)) return new Map();
    throw error;
  }
  const below = successors(manifest);
  if (manifest.kind === 'index') {
    const images = await Promise.all(below.manifests.map((child) => presentImages(archive, child, seen)));
    return new Map(images.flatMap((one) => [...one]));
  }
  const there = below.blobs.every(({ digest, size }) => archive.find(blobPath(digest))?.size === size);
  const layers = manifest.layers.map(({ digest }) => blobPath(digest));
  return new Map(there ? [[blobPath(manifest.config.digest), layers]] : []);
}
