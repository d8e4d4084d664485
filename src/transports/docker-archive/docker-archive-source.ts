// Images in an archive that `docker save`, kind, k3s, ctr, podman or skopeo made, as sources: the manifests of the layout inside where there is one, so
// that digests stay; else made from Docker's manifest.json; else from what Docker before 1.10 wrote.
import { verified } from '../../io/verify.ts';
import type { Descriptor } from '../../oci/descriptor.ts';
import type { Digest } from '../../oci/digest.ts';
import { ImagesError, isImagesError } from '../../oci/errors.ts';
import { decodeManifest, MAX_MANIFEST_SIZE, type Manifest, successors } from '../../oci/manifest.ts';
import { formatReference, fullReference, type Reference } from '../../oci/reference.ts';
import { type ArchiveFile, type OpenArchiveOptions, openArchive } from '../archive/archive-file.ts';
import type { ImageSource } from '../contract.ts';
import { blobPath, INDEX_FILE, readSmall } from '../layout/layout-files.ts';
import { completedName, namesOf } from '../layout/layout-index.ts';
import { layoutSource, readLayoutIndex, readManifest } from '../layout/layout-source.ts';
import { noBlob, requireSize } from '../wrong-parts.ts';
import { type ArchivedImage, readArchivedImage } from './archived-image.ts';
import { decodeDockerManifest, MANIFEST_FILE } from './docker-manifest.ts';
import { legacyHeads, readLegacyImage } from './legacy-image.ts';

/** Which image: by name, by its place in manifest.json from 0; else the only one. */
export interface WantedImage {
  readonly reference?: Reference;
  readonly index?: number;
}

export interface DockerArchive extends AsyncDisposable {
  /** The names of each image, as the archive has them; in the order of its manifest.json. */
  readonly images: readonly { readonly names: readonly string[] }[];
  /** Stays usable until the archive is disposed. Errors: MANIFEST_UNKNOWN, saying what is there. */
  source(wanted: WantedImage): ImageSource;
}

/** `docker-archive:FILE`, plain or compressed. Errors: as `openArchive`; PLACE_INVALID for one that holds no images. */
export async function openDockerArchive(
  path: string,
  options: Omit<OpenArchiveOptions, 'label'> = {},
): Promise<DockerArchive> {
  return await readDockerArchive(await openArchive(path, { ...options, label: `docker-archive:${path}` }));
}

/** Takes the archive over. Errors: PLACE_INVALID, MANIFEST_INVALID. */
export async function readDockerArchive(archive: ArchiveFile): Promise<DockerArchive> {
  try {
    const images = await listImages(archive);
    return {
      images,
      source: (wanted) => select(images, wanted, archive.label).source(),
      [Symbol.asyncDispose]: archive[Symbol.asyncDispose],
    };
  } catch (error) {
    await archive[Symbol.asyncDispose]();
    throw error;
  }
}

/** One image of an archive; disposing closes it. */
export async function openDockerArchiveImage(
  path: string,
  wanted: WantedImage,
  options: Omit<OpenArchiveOptions, 'label'> = {},
): Promise<ImageSource> {
  const archive = await openDockerArchive(path, options);
  try {
    return { ...archive.source(wanted), [Symbol.asyncDispose]: archive[Symbol.asyncDispose] };
  } catch (error) {
    await archive[Symbol.asyncDispose]();
    throw error;
  }
}

interface ListedImage {
  readonly names: readonly string[];
  source(): ImageSource;
}

async function listImages(archive: ArchiveFile): Promise<readonly ListedImage[]> {
  const listed = archive.find(INDEX_FILE) ? await readLayoutImages(archive) : [];
  const bytes = await readSmall(archive, MANIFEST_FILE, MAX_MANIFEST_SIZE * 4);
  if (!bytes && listed.length > 0) return listed;
  if (!bytes) {
    const heads = await legacyHeads(archive);
    if (heads.length > 0) {
      return heads.map(({ id, names }) => ({
        names,
        source: () => source(archive, () => readLegacyImage(archive, id)),
      }));
    }
    throw new ImagesError('PLACE_INVALID', `the archive holds no image [${archive.label}]`, {
      hint: `It has neither ${MANIFEST_FILE} nor ${INDEX_FILE}: is it one of \`docker save\`, or only files (\`docker export\`)?`,
    });
  }
  const used = new Set<LayoutImage>();
  const items = decodeDockerManifest(bytes).map((item): ListedImage => {
    const inLayout = listed.find((image) => image.configs.has(item.config));
    if (!inLayout)
      return { names: item.repoTags, source: () => source(archive, () => readArchivedImage(archive, item)) };
    used.add(inLayout);
    return { names: [...new Set([...item.repoTags, ...inLayout.names])], source: inLayout.source };
  });
  return [...items, ...listed.filter((image) => !used.has(image))];
}

interface LayoutImage extends ListedImage {
  /** Paths of the configs of it, or of an index's images. */
  readonly configs: ReadonlySet<string>;
}

/** Those whose parts are all there: of an index, those of one image at least. */
async function readLayoutImages(archive: ArchiveFile): Promise<readonly LayoutImage[]> {
  const names = new Map<Digest, Set<string>>();
  const entries = await readLayoutIndex(archive);
  for (const entry of entries) {
    const known = names.get(entry.digest) ?? new Set<string>();
    names.set(entry.digest, known);
    // A bare tag is no name here.
    for (const name of namesOf(entry)) if (/[:/]/.test(name)) known.add(name);
  }
  const images: LayoutImage[] = [];
  for (const entry of new Map(entries.map((one) => [one.digest, one])).values()) {
    const configs = await presentConfigs(archive, entry);
    if (configs.length === 0) continue;
    images.push({
      names: [...(names.get(entry.digest) ?? [])],
      configs: new Set(configs),
      source: () => layoutSource(archive, { digest: entry.digest }),
    });
  }
  return images;
}

async function presentConfigs(archive: ArchiveFile, entry: Descriptor): Promise<readonly string[]> {
  let manifest: Manifest;
  try {
    manifest = decodeManifest(await readManifest(archive, entry));
  } catch (error) {
    if (isImagesError(error)) return [];
    throw error;
  }
  const below = successors(manifest);
  const configs: string[] = [];
  for (const child of below.manifests) configs.push(...(await presentConfigs(archive, child)));
  if (manifest.kind === 'index') return configs;
  const there = below.blobs.every(({ digest, size }) => archive.find(blobPath(digest))?.size === size);
  return there ? [blobPath(manifest.config.digest)] : [];
}

function select(images: readonly ListedImage[], { reference, index }: WantedImage, label: string): ListedImage {
  const fail = (why: string) => {
    const names = images.map((image, at) => image.names[0] ?? `@${at}`).slice(0, 20);
    return new ImagesError('MANIFEST_UNKNOWN', `${why} [${label}]`, {
      hint: `It has ${names.join(', ')}${images.length > names.length ? ', …' : ''}.`,
    });
  };
  if (index !== undefined) {
    const image = images[index];
    if (!image) throw fail(`there is no image @${index}`);
    return image;
  }
  if (reference) {
    const wanted = formatReference(fullReference(reference));
    const image = images.find(({ names }) => names.some((name) => completedName(name) === wanted));
    if (!image) throw fail(`there is no ${formatReference(reference)}`);
    return image;
  }
  const [only, ...others] = images;
  if (!only || others.length > 0) throw fail(`there are ${images.length} images`);
  return only;
}

function source(archive: ArchiveFile, read: () => Promise<ArchivedImage>): ImageSource {
  let reading: Promise<ArchivedImage> | undefined;
  const image = () => {
    reading ??= read();
    return reading;
  };
  return {
    label: archive.label,
    host: '',
    root: async () => (await image()).manifest,
    async manifest(descriptor) {
      const { digest } = descriptor;
      const { manifest } = await image();
      if (manifest.digest !== digest) {
        throw new ImagesError('MANIFEST_UNKNOWN', `it has no manifest ${digest} [${archive.label}]`);
      }
      requireSize('manifest', manifest.size, descriptor);
      return manifest;
    },
    async blob(descriptor, from) {
      const { digest } = descriptor;
      const blob = (await image()).blobs.get(digest);
      if (!blob) throw noBlob(digest, archive.label);
      requireSize('blob', blob.descriptor.size, descriptor);
      const body = await blob.open(from);
      return from === 0 ? verified(body, descriptor) : body;
    },
    async *referrers() {},
    async statTag() {
      return undefined;
    },
    async [Symbol.asyncDispose]() {},
  };
}
