// From an image's root along its descriptors to everything that a copy of it consists of. Asks for manifests only.
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
  /** Manifests below the root; each step needs those before it. Without those that the sink has. */
  readonly steps: readonly (readonly RawManifest[])[];
  /** Signatures and other referrers, each after what it points to. */
  readonly attached: readonly Attached[];
  readonly blobs: readonly Descriptor[];
  /** The root, or those below it that were fetched. */
  readonly images: readonly WalkedImage[];
  /**
   * Where the sink may refuse the index, because not all of its children come along or it holds none: what is tagged in its place. The one image, or
   * an index of those that come along.
   */
  readonly instead?: RawManifest;
  /** Wanted platforms that the image does not have, while it has others of them. */
  readonly unsuited: readonly Platform[];
}

export interface WalkOptions {
  readonly name: Reference;
  /** The name as text, for messages. */
  readonly image: string;
  /** The source's, for messages. */
  readonly label: string;
  /** Caches manifests over all images of a run. */
  readonly source: ManifestSource;
  readonly sink: ImageSink;
  readonly platforms: PlatformChoice;
  readonly referrers: boolean;
  /** Trusts no manifest at the sink to have its parts there. */
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
  /** Digests of all that was selected below the root, there or not. */
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
  /** As the index names it. */
  readonly child?: Descriptor;
}

/**
 * A reference by an index's digest can be held only as that index. So where the sink may refuse a sparse one, all of its
 * children come along; a tag may name the wanted platform's image instead. A sink without indexes takes one platform's image: which one is for
 * the user to say. Errors: UNSUPPORTED where several are wanted.
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

/** One digest has one size: who reads a manifest with another one refuses the blob. Errors: MANIFEST_INVALID. */
function addBlobs(manifest: Manifest, blobs: Map<Digest, Descriptor>): void {
  for (const blob of successors(manifest).blobs) {
    const known = blobs.get(blob.digest);
    if (known && known.size !== blob.size) {
      const sizes = `${known.size} and of ${blob.size} bytes`;
      throw new ImagesError('MANIFEST_INVALID', `one blob is said to be of ${sizes} [${blob.digest}]`);
    }
    blobs.set(blob.digest, blob);
  }
}

/**
 * Images that the sink holds are not asked for: a registry takes a manifest only when its blobs are there. Indexes are, for
 * theirs may be sparse; and so is all where the sink may refuse the index, for then an image's own bytes are needed.
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

/** Errors: the source's; MANIFEST_INVALID where it is no index and is said to be one, or the other way round. */
async function fetchChild(child: Descriptor, { source, image, label }: WalkOptions): Promise<RawManifest> {
  const raw = await source.manifest(child).catch((error: unknown) => {
    if (!isImagesError(error, 'MANIFEST_UNKNOWN') || !child.platform) throw error;
    // Copies of one platform, and archives of one, leave indexes like this.
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
