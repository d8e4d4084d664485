// Images in an archive from `docker save`, kind, k3s, ctr, podman or skopeo, as sources. The manifests come from the layout inside, if there is one, so that
// digests do not change. Else they are made from Docker's manifest.json, or from the files of Docker before 1.10.
import { createLimiter } from '../../io/concurrency/limiter.ts';
import { verified } from '../../io/streams/verify.ts';
import { ImagesError } from '../../oci/errors.ts';
import { MAX_MANIFEST_SIZE } from '../../oci/manifest.ts';
import { formatReference, fullReference, type Reference, tryParseReference } from '../../oci/reference.ts';
import { type ArchiveFile, type OpenArchiveOptions, openArchive } from '../archive/archive-file.ts';
import type { ContainedImage, ImageSource } from '../contract.ts';
import { INDEX_FILE, readSmall } from '../layout/layout-files.ts';
import { completedName } from '../layout/layout-index.ts';
import { noBlob, requireSize } from '../wrong-parts.ts';
import { type ArchivedImage, readArchivedImage } from './archived-image.ts';
import { decodeDockerManifest, MANIFEST_FILE } from './docker-manifest.ts';
import { type LayoutImage, readLayoutImages, requireSameLayers } from './layout-images.ts';
import { legacyHeads, readLegacyImage } from './legacy-image.ts';

/** The wanted image: by name or by index in manifest.json (from 0). With neither, the only image. */
export interface WantedImage {
  readonly reference?: Reference;
  readonly index?: number;
}

interface ArchiveImage extends ContainedImage {
  /** Has the same value if one image is listed twice. */
  readonly itself?: unknown;
}

export interface DockerArchive extends AsyncDisposable {
  /** The images with the names that the archive records, in the order of its manifest.json. */
  readonly images: readonly ContainedImage[];
  /** Usable until the archive is disposed. Errors: MANIFEST_UNKNOWN, with the images that are there. */
  source(wanted: WantedImage): ImageSource;
}

/** Opens `docker-archive:FILE`, plain or compressed. Errors: as `openArchive`; LOCATION_INVALID if it holds no images. */
export async function openDockerArchive(
  path: string,
  options: Omit<OpenArchiveOptions, 'label'>,
): Promise<DockerArchive> {
  return await readDockerArchive(await openArchive(path, { ...options, label: `docker-archive:${path}` }));
}

/** Takes ownership of the archive. Errors: LOCATION_INVALID, MANIFEST_INVALID. */
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

/** Opens one image of an archive. Disposing closes the archive. */
export async function openDockerArchiveImage(
  path: string,
  wanted: WantedImage,
  options: Omit<OpenArchiveOptions, 'label'>,
): Promise<ImageSource> {
  const archive = await openDockerArchive(path, options);
  try {
    return { ...archive.source(wanted), [Symbol.asyncDispose]: archive[Symbol.asyncDispose] };
  } catch (error) {
    await archive[Symbol.asyncDispose]();
    throw error;
  }
}

/** How many nested archives are listed at a time: each listing reads several positions. */
const LISTED_AT_ONCE = 8;

async function listImages(archive: ArchiveFile): Promise<readonly ArchiveImage[]> {
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
    const saved = savedArchives(archive);
    if (saved.length > 0)
      return (await createLimiter(LISTED_AT_ONCE).map(saved, (name) => listSaved(archive, name))).flat();
    throw new ImagesError('LOCATION_INVALID', `the archive holds no image [${archive.label}]`, {
      hint: `It has neither ${MANIFEST_FILE} nor ${INDEX_FILE}: is it one of \`docker save\`, or only files (\`docker export\`)?`,
    });
  }
  const used = new Set<LayoutImage>();
  const items = decodeDockerManifest(bytes).map((item): ArchiveImage => {
    const inLayout = listed.find((image) => image.layers.has(item.config));
    if (!inLayout) {
      const itself = [item.config, ...item.layers].join(' ');
      return { names: item.repoTags, itself, source: () => source(archive, () => readArchivedImage(archive, item)) };
    }
    used.add(inLayout);
    const agreed = () => {
      requireSameLayers(archive, item, inLayout.layers.get(item.config) ?? []);
      return inLayout.source();
    };
    return { names: [...new Set([...item.repoTags, ...inLayout.names])], itself: inLayout, source: agreed };
  });
  // An image that is incomplete in the layout may be complete through Docker's list.
  const tags = new Set(items.flatMap(({ names }) => names.map(completedName)));
  const isListed = ({ names, layers }: LayoutImage) =>
    layers.size === 0 && names.some((name) => tags.has(completedName(name)));
  return [...items, ...listed.filter((image) => !used.has(image) && !isListed(image))];
}

/** The archives in an archive of `docker_save`: it contains nothing else, and each has the full name of its image. */
function savedArchives(archive: ArchiveFile): readonly string[] {
  const names = [...archive.names()];
  return archive.nested && names.every(isSavedName) ? names : [];
}

/** Whether a file name in an archive is one that `docker_save` gives: a full name of an image. */
export function isSavedName(name: string): boolean {
  const { host, tag, digest } = tryParseReference(name) ?? {};
  return host !== undefined && (tag !== undefined || digest !== undefined);
}

async function listSaved(archive: ArchiveFile, name: string): Promise<readonly ArchiveImage[]> {
  const nested = await archive.nested?.(name);
  const images = nested ? await listImages(nested) : [];
  // An image that was saved by id has no name in its own archive.
  return images.map((image) => (image.names.length === 0 && images.length === 1 ? { ...image, names: [name] } : image));
}

function select(images: readonly ArchiveImage[], { reference, index }: WantedImage, label: string): ArchiveImage {
  const fail = (why: string) => {
    const names = images.flatMap((image, at) => (image.names.length > 0 ? image.names : [`@${at}`]));
    const listed = names.slice(0, 20).join(', ');
    return new ImagesError('MANIFEST_UNKNOWN', `${why} [${label}]`, {
      hint: names.length > 0 ? `It has ${listed}${names.length > 20 ? ', …' : ''}.` : 'It is empty.',
    });
  };
  if (index !== undefined) {
    const image = images[index];
    if (!image) throw fail(`there is no image @${index}`);
    return image;
  }
  if (reference) {
    const wanted = formatReference(fullReference(reference));
    const [image, ...others] = images.filter(({ names }) => names.some((name) => completedName(name) === wanted));
    if (!image) throw fail(`there is no ${formatReference(reference)}`);
    if (others.some(({ itself }) => itself === undefined || itself !== image.itself))
      throw fail(`several images are called ${formatReference(reference)}`);
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
