// From an image's root along its descriptors to everything that a copy of it consists of. Asks for manifests only.
import type { Descriptor } from '../oci/descriptor.ts';
import type { Digest } from '../oci/digest.ts';
import { ImagesError } from '../oci/errors.ts';
import { decodeManifest, type Manifest, type RawManifest, successors } from '../oci/manifest.ts';
import { isIndexType } from '../oci/media-types.ts';
import { formatPlatform, type Platform, type PlatformChoice } from '../oci/platform.ts';
import type { Reference } from '../oci/reference.ts';
import type { ImageSink } from '../transports/contract.ts';
import type { ManifestSource } from './counted-source.ts';
import { failureOf } from './failure.ts';
import { offeredPlatforms, selectChildren } from './select-children.ts';
import { type Attached, walkReferrers } from './walk-referrers.ts';

export interface ImageGraph {
  readonly root: RawManifest;
  /** Manifests below the root; each step needs those before it. Without those that the sink has. */
  readonly steps: readonly (readonly RawManifest[])[];
  /** Signatures and other referrers, each after what it points to. */
  readonly attached: readonly Attached[];
  readonly blobs: readonly Descriptor[];
  /** Where the sink may refuse the index, because not all of its children come along or it holds none: the image that is tagged in its place. */
  readonly alone?: RawManifest;
  /** Wanted platforms that the image does not have, while it has others of them. */
  readonly unsuited: readonly Platform[];
}

export interface WalkOptions {
  readonly name: Reference;
  /** The name as text, for messages. */
  readonly image: string;
  /** Caches manifests over all images of a run. */
  readonly source: ManifestSource;
  readonly sink: ImageSink;
  readonly platforms: PlatformChoice;
  readonly referrers: boolean;
  /** Trusts no manifest at the sink to have its parts there. */
  readonly force: boolean;
  readonly signal?: AbortSignal;
}

/** Errors: PLATFORM_UNKNOWN, MANIFEST_INVALID, UNSUPPORTED, and the source's. */
export async function walkImage(options: WalkOptions): Promise<ImageGraph> {
  const root = await options.source.root();
  const blobs = new Map<Digest, Descriptor>();
  const tree = await walkBelow(root, blobs, options);
  const attached = options.referrers ? await walkReferrers([root.digest, ...tree.seen], blobs, options.source) : [];
  const mayBeRefused = tree.sparse || (options.sink.wants.indexes === 'none' && isIndexType(root.mediaType));
  const alone = mayBeRefused ? tree.images[0] : undefined;
  return {
    root,
    steps: tree.steps,
    attached,
    blobs: [...blobs.values()],
    ...(alone && { alone }),
    unsuited: tree.unsuited,
  };
}

interface Tree {
  readonly steps: readonly (readonly RawManifest[])[];
  readonly images: readonly RawManifest[];
  /** Digests of all that was selected below the root, there or not. */
  readonly seen: readonly Digest[];
  readonly sparse: boolean;
  readonly unsuited: readonly Platform[];
}

async function walkBelow(root: RawManifest, blobs: Map<Digest, Descriptor>, options: WalkOptions): Promise<Tree> {
  const choice = platformChoice(root, options);
  const steps: RawManifest[][] = [];
  const images: RawManifest[] = [];
  const offered = new Set<string>();
  const seen = new Set<Digest>();
  const unsuited: Platform[] = [];
  let sparse = false;
  let found = 0;
  let level: readonly RawManifest[] = [root];
  while (level.length > 0) {
    const below = new Map<Digest, Descriptor>();
    for (const raw of level) {
      const manifest = decodeManifest(raw);
      addBlobs(manifest, blobs);
      if (manifest.kind === 'image') {
        images.push(raw);
        found++;
        continue;
      }
      const selection = selectChildren(manifest, choice);
      for (const platform of offeredPlatforms(manifest)) offered.add(platform);
      if (raw === root) unsuited.push(...selection.lacking);
      sparse ||= selection.children.length < manifest.manifests.length;
      for (const child of selection.children) if (!seen.has(child.digest)) below.set(child.digest, child);
    }
    for (const digest of below.keys()) seen.add(digest);
    const { fetched, there } = await fetchLevel([...below.values()], options);
    found += there;
    if (fetched.length > 0) steps.unshift(fetched);
    level = fetched;
  }
  if (found === 0 && sparse) throw noPlatform(options.image, choice, [...offered]);
  return { steps, images, seen: [...seen], sparse, unsuited };
}

/**
 * A reference by an index's digest can be held only as that index. So where the sink may refuse a sparse one, all of its
 * children come along; a tag may name the wanted platform's image instead.
 */
function platformChoice(root: RawManifest, { name, sink, platforms }: WalkOptions): PlatformChoice {
  return isIndexType(root.mediaType) && name.digest !== undefined && sink.wants.indexes === 'complete'
    ? 'all'
    : platforms;
}

function addBlobs(manifest: Manifest, blobs: Map<Digest, Descriptor>): void {
  for (const blob of successors(manifest).blobs) blobs.set(blob.digest, blob);
}

/**
 * Images that the sink holds are not asked for: a registry takes a manifest only when its blobs are there. Indexes are, for
 * theirs may be sparse; and so is all where the sink may refuse the index, for then an image's own bytes are needed.
 */
async function fetchLevel(
  children: readonly Descriptor[],
  options: WalkOptions,
): Promise<{ readonly fetched: RawManifest[]; readonly there: number }> {
  const { name, image, source, sink, force, signal } = options;
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
  const fetched = await Promise.all(wanted.map((child) => source.manifest(child)));
  return { fetched, there: children.length - wanted.length };
}

function noPlatform(image: string, choice: PlatformChoice, offered: readonly string[]): ImagesError {
  const wanted = choice === 'all' ? 'all' : choice.map(formatPlatform).join(', ');
  return new ImagesError('PLATFORM_UNKNOWN', `${image} is not there for [${wanted}]: it has ${offered.join(', ')}`, {
    hint: `Choose with --platform, for example --platform=${offered[0] ?? 'all'}.`,
  });
}
