// What everybody relies on in the simulated year of a registry (collector/year.test.ts), and the images that are pushed in it.
import { type Blob, blobOf, bytesOf, indexOf, manifestOf } from '../../../test/contract/content.ts';
import type { Digest } from '../../oci/digest.ts';
import type { RawManifest } from '../../oci/manifest.ts';
import { OCI_CONFIG, OCI_MANIFEST } from '../../oci/media-types.ts';
import type { KeepRule } from '../collector/retention.ts';

const DAY = 24 * 3600 * 1000;

/** An image as its pusher has it; an index has children. */
export interface Pushed {
  readonly manifest: RawManifest;
  readonly blobs: readonly Blob[];
  readonly children: readonly Pushed[];
}

/** The repository of tags that the rules of retention let go. */
export const NIGHTLY = 'nightly/app';
const [NEWEST, DAYS] = [3, 10];
export const RULES: readonly KeepRule[] = [
  { images: { repository: 'nightly/**', tag: '*' }, newest: NEWEST, pushedMs: DAYS * DAY },
];

interface Nightly {
  readonly image: Pushed;
  /** In milliseconds since 1970. */
  readonly pushed: number;
}

export interface Model {
  /** By `REPOSITORY:TAG`. */
  readonly tags: Map<string, Pushed>;
  /** By tag, in the order of their pushes: some may have gone. */
  readonly nightly: Map<string, Nightly>;
  /** Tags of `nightly`. */
  readonly pinned: Set<string>;
  /** Pushed, or asked for, by digest; by `REPOSITORY@DIGEST`. */
  readonly digests: Map<string, Pushed>;
  readonly built: Map<string, Pushed>;
  /** What pushes that were broken off left: nobody relies on it, and it may stay. */
  readonly leftovers: Pushed[];
  /** What was written, by day, in bytes. */
  readonly written: number[];
  /** Where all content comes from, and can be fetched again. */
  readonly source: Map<Digest, Uint8Array>;
}

export function newModel(): Model {
  return {
    tags: new Map(),
    nightly: new Map(),
    pinned: new Set(),
    digests: new Map(),
    built: new Map(),
    leftovers: [],
    written: [],
    source: new Map(),
  };
}

/** The tags that a rule, or a pin, keeps now. */
export function keptNightly({ nightly, pinned }: Model): ReadonlyMap<string, Pushed> {
  const newest = new Set([...nightly.keys()].slice(-NEWEST));
  const isKept = (tag: string, { pushed }: Nightly) =>
    newest.has(tag) || pinned.has(tag) || Date.now() - pushed <= DAYS * DAY;
  return new Map([...nightly].filter((one) => isKept(...one)).map(([tag, { image }]) => [tag, image]));
}

/** The sizes of all blobs that something needs. */
export function namedBlobs(model: Model): ReadonlyMap<Digest, number> {
  const sizes = new Map<Digest, number>();
  const add = ({ manifest, blobs, children }: Pushed) => {
    sizes.set(manifest.digest, manifest.bytes.length);
    for (const { descriptor } of blobs) sizes.set(descriptor.digest, descriptor.size);
    for (const child of children) add(child);
  };
  const { tags, digests, built, leftovers } = model;
  for (const names of [tags, keptNightly(model), digests, built]) for (const image of names.values()) add(image);
  for (const image of leftovers) add(image);
  return sizes;
}

export function remember(source: Model['source'], { manifest, blobs, children }: Pushed): void {
  source.set(manifest.digest, manifest.bytes);
  for (const { descriptor, bytes } of blobs) source.set(descriptor.digest, bytes);
  for (const child of children) remember(source, child);
}

export function sizeOf({ manifest, blobs, children }: Pushed): number {
  const own = manifest.bytes.length + blobs.reduce((sum, { bytes }) => sum + bytes.length, 0);
  return children.reduce((sum, child) => sum + sizeOf(child), own);
}

/** A number from 0 to below the argument. */
export type Random = (below: number) => number;

/** Layers are shared: some come again and again, some only for weeks. */
export function newImage(name: string, random: Random): Pushed {
  const layers = [
    blobOf(bytesOf(`shared ${random(6)}`, 2000)),
    blobOf(bytesOf(`layer ${random(40)}`, 1500)),
    blobOf(bytesOf(name, 1000)),
  ];
  const config = blobOf(Buffer.from(JSON.stringify({ os: 'linux', architecture: 'amd64', name })), OCI_CONFIG);
  const manifest = manifestOf({
    mediaType: OCI_MANIFEST,
    config: config.descriptor,
    layers: layers.map(({ descriptor }) => descriptor),
  });
  return { manifest, blobs: [config, ...layers], children: [] };
}

export function newIndex(name: string, random: Random): Pushed {
  const children = [newImage(`${name} a`, random), newImage(`${name} b`, random)];
  return { manifest: indexOf(children.map(({ manifest }) => manifest)), blobs: [], children };
}

/** The same numbers for the same seed (a linear congruential generator, by Numerical Recipes). */
export function randomFrom(seed: number): Random {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}
