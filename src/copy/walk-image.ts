// Follows the descriptors from the root of an image to everything that a copy consists of. Requests only manifests.
import { addAll } from '../oci/add-all.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import type { Digest } from '../oci/digest.ts';
import { ImagesError, isImagesError } from '../oci/errors.ts';
import { decodeManifest, type Index, type Manifest, type RawManifest, successors } from '../oci/manifest.ts';
import { isIndexType } from '../oci/media-types.ts';
import { formatPlatform, type Platform, type PlatformChoice, statesPlatform } from '../oci/platform.ts';
import type { Reference } from '../oci/reference.ts';
import type { ImageSink } from '../transports/contract.ts';
import { partOf, type WalkedImage } from './check-images.ts';
import type { ManifestSource } from './counted-source.ts';
import type { OnCopyEvent } from './events.ts';
import { asItStands, failureOf } from './failure.ts';
import { insteadOf, noIndexes } from './instead-of-index.ts';
import { offeredPlatforms, selectChildren } from './select-children.ts';
import { type Attached, walkReferrers } from './walk-referrers.ts';

export interface ImageGraph {
  readonly root: RawManifest;
  /** Manifests below the root that the sink lacks. Each step depends on those before it. */
  readonly steps: readonly (readonly RawManifest[])[];
  /** Signatures and other referrers, each after its subject. */
  readonly attached: readonly Attached[];
  readonly blobs: readonly Descriptor[];
  /** The root if it is an image, or the images below it that were fetched. */
  readonly images: readonly WalkedImage[];
  /**
   * What is tagged instead of the index if the sink may refuse it (not all of its children are copied, or the sink holds no indexes). It is the one image, or
   * an index of the copied ones.
   */
  readonly instead?: RawManifest;
  /** Wanted platforms that the image lacks although it has others of them. */
  readonly unsuited: readonly Platform[];
}

export interface WalkOptions {
  readonly name: Reference;
  /** The name as text, for messages. */
  readonly image: string;
  /** The label of the source, for messages. */
  readonly label: string;
  /** Caches manifests for all images of a run. */
  readonly source: ManifestSource;
  readonly sink: ImageSink;
  readonly platforms: PlatformChoice;
  readonly referrers: boolean;
  /** Whether parts are checked although the sink has their manifest. */
  readonly force: boolean;
  readonly signal?: AbortSignal;
  readonly onEvent?: OnCopyEvent;
}

/** Errors: PLATFORM_UNKNOWN, MANIFEST_INVALID, UNSUPPORTED, and the source's. */
export async function walkImage(options: WalkOptions): Promise<ImageGraph> {
  const root = await options.source.root();
  const blobs = new Map<Digest, Descriptor>();
  const tree = await walkBelow(root, blobs, options);
  const attached = options.referrers ? await walkReferrers([root.digest, ...tree.seen], blobs, options.source) : [];
  const { indexes } = options.sink.wants;
  const mayBeRefused = indexes === 'none' ? isIndexType(root.mediaType) : tree.sparse && indexes === 'complete';
  const instead = mayBeRefused ? insteadOf(root, tree.images, options.sink) : undefined;
  return {
    root,
    steps: tree.steps,
    attached,
    blobs: [...blobs.values()],
    images: tree.images,
    ...(instead && { instead }),
    unsuited: tree.unsuited,
  };
}

interface Tree {
  readonly steps: readonly (readonly RawManifest[])[];
  readonly images: readonly WalkedImage[];
  /** Digests of everything selected below the root, whether the sink has it or not. */
  readonly seen: readonly Digest[];
  readonly sparse: boolean;
  readonly unsuited: readonly Platform[];
}

async function walkBelow(root: RawManifest, blobs: Map<Digest, Descriptor>, options: WalkOptions): Promise<Tree> {
  const choice = platformChoice(root, options);
  const steps: RawManifest[][] = [];
  const images: WalkedImage[] = [];
  const offered = new Set<string>();
  const seen = new Set<Digest>();
  const unsuited: Platform[] = [];
  let sparse = false;
  let found = 0;
  let level: readonly Fetched[] = [{ raw: root }];
  while (level.length > 0) {
    const below = new Map<Digest, Descriptor>();
    for (const { raw, child: named } of level) {
      const manifest = decodeManifest(raw);
      addBlobs(manifest, blobs);
      if (manifest.kind === 'image') {
        images.push({ raw, manifest, ...(named && { child: named }) });
        found++;
        continue;
      }
      const selection = selectChildren(manifest, choice);
      for (const platform of offeredPlatforms(manifest)) offered.add(platform);
      if (raw === root) addAll(unsuited, selection.lacking);
      sparse ||= selection.children.length < manifest.manifests.length;
      for (const child of selection.children) if (!seen.has(child.digest)) below.set(child.digest, child);
    }
    for (const digest of below.keys()) seen.add(digest);
    const { fetched, there } = await fetchLevel([...below.values()], options);
    found += there;
    if (fetched.length > 0) steps.unshift(fetched.map(({ raw }) => raw));
    level = fetched;
  }
  if (found === 0 && sparse) throw noPlatform(options.image, choice, [...offered]);
  return { steps, images, seen: [...seen], sparse, unsuited };
}

interface Fetched {
  readonly raw: RawManifest;
  /** The descriptor in the index. */
  readonly child?: Descriptor;
}

/**
 * A reference with the digest of an index needs exactly that index. So if the sink may refuse a sparse one, all of its children are copied. A tag may name
 * the image of the wanted platform instead. A sink without indexes takes the image of one platform, which the user has to choose. Errors: UNSUPPORTED if
 * several are wanted.
 */
function platformChoice(root: RawManifest, { name, sink, platforms }: WalkOptions): PlatformChoice {
  const { indexes } = sink.wants;
  if (!isIndexType(root.mediaType) || indexes === 'sparse') return platforms;
  if (indexes === 'complete') return name.digest === undefined ? platforms : 'all';
  const index = decodeManifest(root);
  return index.kind === 'index' ? onePlatform(index, platforms, sink) : platforms;
}

function onePlatform(index: Index, wanted: PlatformChoice, sink: ImageSink): PlatformChoice {
  const stated = selectChildren(index, wanted).children.flatMap(({ platform }) =>
    platform && statesPlatform(platform) ? [platform] : [],
  );
  const platforms = new Map(stated.map((platform) => [formatPlatform(platform), platform]));
  if (platforms.size > 1) throw noIndexes(sink.label, stated);
  return platforms.size === 0 ? wanted : [...platforms.values()];
}

/** Each digest has one size: a reader of a manifest with another size refuses the blob. Errors: MANIFEST_INVALID. */
function addBlobs(manifest: Manifest, blobs: Map<Digest, Descriptor>): void {
  for (const blob of successors(manifest).blobs) {
    const known = blobs.get(blob.digest);
    if (known && known.size !== blob.size) {
      const sizes = `${known.size} and ${blob.size} bytes`;
      throw new ImagesError('MANIFEST_INVALID', `one blob has two sizes: ${sizes} [${blob.digest}]`);
    }
    blobs.set(blob.digest, blob);
  }
}

/**
 * Images that the sink has are not fetched, because a registry takes a manifest only after its blobs. Indexes are fetched, because the sink's may be sparse.
 * If the sink may refuse the index, everything is fetched, because the bytes of an image may be tagged instead.
 */
async function fetchLevel(
  children: readonly Descriptor[],
  options: WalkOptions,
): Promise<{ readonly fetched: readonly Fetched[]; readonly there: number }> {
  const { name, image, sink, force, signal, onEvent } = options;
  const askSink = async () => {
    try {
      return await sink.missingManifests(name, children, signal && { signal });
    } catch (error) {
      throw failureOf(error, { image, end: 'destination', label: sink.label, what: 'the question what is missing' });
    }
  };
  const canSkip = !force && sink.wants.indexes === 'sparse' && children.length > 0;
  const absent = canSkip ? await askSink() : undefined;
  const wanted = children.filter(
    (child) => absent === undefined || absent.has(child.digest) || isIndexType(child.mediaType),
  );
  if (onEvent) {
    for (const child of children) {
      const { digest, size } = child;
      if (!wanted.includes(child))
        onEvent({ type: 'not-fetched', image, what: 'manifest', digest, size, why: 'there' });
    }
  }
  const fetched = await Promise.all(wanted.map(async (child) => ({ raw: await fetchChild(child, options), child })));
  return { fetched, there: children.length - wanted.length };
}

/** Errors: the source's; MANIFEST_INVALID if the descriptor says index and the content is an image, or the other way round. */
async function fetchChild(child: Descriptor, { source, image, label }: WalkOptions): Promise<RawManifest> {
  const raw = await source.manifest(child).catch((error: unknown) => {
    if (!isImagesError(error, 'MANIFEST_UNKNOWN') || !child.platform) throw error;
    // Copies or archives of a single platform leave an index whose other children are missing.
    const part = partOf('manifest', child.digest, child.platform);
    throw asItStands(
      new ImagesError(error.code, `${image}: its index names ${part}, which is not there [${label}]`, {
        hint: 'Choose what is there with --platform, or have the image copied there whole (--platform=all).',
        cause: error,
      }),
    );
  });
  if (child.mediaType === '' || isIndexType(child.mediaType) === isIndexType(raw.mediaType)) return raw;
  const kinds = `${child.mediaType} is ${raw.mediaType}`;
  throw new ImagesError('MANIFEST_INVALID', `what the index calls ${kinds} [${child.digest}]`);
}

function noPlatform(image: string, choice: PlatformChoice, offered: readonly string[]): ImagesError {
  const wanted = choice === 'all' ? 'all' : choice.map(formatPlatform).join(', ');
  return new ImagesError('PLATFORM_UNKNOWN', `${image} is not there for [${wanted}]: it has ${offered.join(', ')}`, {
    hint: `Choose with --platform, for example --platform=${offered[0] ?? 'all'}.`,
  });
}
