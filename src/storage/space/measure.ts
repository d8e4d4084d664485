// How much space each image takes. *Own* are the bytes that become free if only this image is removed, and garbage is collected; the others are *shared*: another
// image, a build or another repository needs them as well. *Reclaimable* is what the next collections remove anyway: former states of tags, and what nothing names.
import { setImmediate } from 'node:timers/promises';
import type { Digest } from '../../oci/digest.ts';
import { digestsOfBuilds } from '../collector/build-references.ts';
import type { CollectionEvent, CollectionRun } from '../collector/run.ts';
import type { RegistryStore } from '../store.ts';
import { type BlobOwners, blobOwners } from './blob-owners.ts';
import type { RepositoryImages } from './repository-images.ts';
import { type SpaceGraph, spaceGraph } from './space-graph.ts';
import { storeImages } from './store-images.ts';

/** In bytes. */
export interface SpaceUse {
  readonly size: number;
  readonly own: number;
  readonly shared: number;
  /** Not part of `size`: what former states of the tag hold, and collections remove. */
  readonly reclaimable: number;
}

export interface ImageSpace extends SpaceUse {
  /** `NAME:TAG`, `NAME@DIGEST` or `HOST/PATH:TAG`. */
  readonly name: string;
  readonly digest: Digest;
  readonly tag?: string;
  /** The proxy has fetched it, and nobody has pushed or cached it since. */
  readonly fetched?: true;
}

export interface RepositorySpace extends SpaceUse {
  readonly repository: string;
  readonly images: readonly ImageSpace[];
}

export interface StoreSpace {
  readonly blobs: number;
  /** In bytes: all blobs. It is the sum of the next four. */
  readonly bytes: number;
  readonly images: number;
  /** What only images that were built here, and remembered steps, need. */
  readonly builds: number;
  /** What only manifests that lost their last tag need. */
  readonly former: number;
  /** What nothing names: garbage, and blobs whose manifest has not been pushed yet. */
  readonly unnamed: number;
  /** In the order of their names. */
  repositories(): Generator<RepositorySpace>;
}

export interface MeasureOptions {
  readonly signal?: AbortSignal;
  readonly onEvent?: (event: CollectionEvent) => void;
}

/** Signals that wait get their turn: what the kernel has in memory is read without any wait. */
async function stepped({ signal }: MeasureOptions): Promise<void> {
  signal?.throwIfAborted();
  await setImmediate();
}

export async function measureStore(store: RegistryStore, options: MeasureOptions = {}): Promise<StoreSpace> {
  const run: CollectionRun = { ...options, step: () => stepped(options) };
  const graph = await spaceGraph(store, run.step);
  const isOfBuilds = await blobsOfBuilds(store, graph, run);
  const images = await storeImages(store, graph, run);
  const needs: Needs = { sizes: graph.sizes, isOfBuilds, ...ownersOf(images, graph.sizes.length) };
  return {
    blobs: graph.sizes.length,
    bytes: sum(needs, graph.sizes.keys()),
    ...totalsOf(needs),
    repositories: () => repositoriesOf(images, needs),
  };
}

/** Who needs each blob, by its number. The owners are images and repositories, numbered from 1 in their order. */
interface Needs {
  readonly sizes: SpaceGraph['sizes'];
  readonly images: BlobOwners;
  readonly repositories: BlobOwners;
  /** 1 for a blob that an image which was built here needs, or a remembered step. */
  readonly isOfBuilds: Uint8Array;
  /** 1 for a blob that a manifest needs which lost its last tag. */
  readonly isOfFormer: Uint8Array;
}

async function blobsOfBuilds(store: RegistryStore, graph: SpaceGraph, run: CollectionRun): Promise<Uint8Array> {
  const isOfBuilds = new Uint8Array(graph.sizes.length);
  const { images, steps } = await digestsOfBuilds(store, run);
  for (const digest of [...images, ...steps]) {
    const number = graph.numberOf(digest);
    if (number !== undefined) isOfBuilds[number] = 1;
  }
  return isOfBuilds;
}

function ownersOf(
  found: readonly RepositoryImages[],
  count: number,
): Pick<Needs, 'images' | 'repositories' | 'isOfFormer'> {
  const [images, repositories] = [blobOwners(count), blobOwners(count)];
  const isOfFormer = new Uint8Array(count);
  let image = 0;
  for (const [at, repository] of found.entries()) {
    for (const { digest } of repository.images) {
      image += 1;
      for (const number of repository.blobsOf(digest)) {
        images.add(number, image);
        repositories.add(number, at + 1);
      }
    }
    for (const digest of repository.former) for (const number of repository.blobsOf(digest)) isOfFormer[number] = 1;
  }
  return { images, repositories, isOfFormer };
}

function totalsOf(needs: Needs): Pick<StoreSpace, 'images' | 'builds' | 'former' | 'unnamed'> {
  const totals = { images: 0, builds: 0, former: 0, unnamed: 0 };
  for (const number of needs.sizes.keys()) totals[kindOf(needs, number)] += needs.sizes[number] ?? 0;
  return totals;
}

function kindOf(needs: Needs, number: number): 'images' | 'builds' | 'former' | 'unnamed' {
  if (!needs.images.hasNone(number)) return 'images';
  if (needs.isOfBuilds[number]) return 'builds';
  return needs.isOfFormer[number] ? 'former' : 'unnamed';
}

function* repositoriesOf(found: readonly RepositoryImages[], needs: Needs): Generator<RepositorySpace> {
  let image = 0;
  for (const [at, { repository, images, former, blobsOf }] of found.entries()) {
    const blobs = new Set<number>();
    const measured = images.map(({ name, digest, tag, former: before }) => {
      image += 1;
      const held = blobsOf(digest);
      for (const one of held) blobs.add(one);
      const use = useOf(needs, held, { owners: needs.images, owner: image, former: blobsOfAll(before, blobsOf) });
      return { name, digest, ...(tag !== undefined && { tag }), ...use };
    });
    const owner = { owners: needs.repositories, owner: at + 1, former: blobsOfAll(former, blobsOf) };
    yield { repository, ...useOf(needs, blobs, owner), images: measured };
  }
}

interface Owner {
  readonly owners: BlobOwners;
  readonly owner: number;
  readonly former: ReadonlySet<number>;
}

function useOf(needs: Needs, blobs: ReadonlySet<number>, { owners, owner, former }: Owner): SpaceUse {
  const size = sum(needs, blobs);
  const own = sum(needs, blobs, (number) => owners.isOnly(number, owner) && needs.isOfBuilds[number] === 0);
  const isFree = (number: number) => needs.images.hasNone(number) && needs.isOfBuilds[number] === 0;
  return { size, own, shared: size - own, reclaimable: sum(needs, former, isFree) };
}

function sum({ sizes }: Needs, numbers: Iterable<number>, counts: (number: number) => boolean = () => true): number {
  let bytes = 0;
  for (const number of numbers) if (counts(number)) bytes += sizes[number] ?? 0;
  return bytes;
}

function blobsOfAll(
  manifests: readonly RepositoryImages['former'][number][],
  blobsOf: RepositoryImages['blobsOf'],
): ReadonlySet<number> {
  const blobs = new Set<number>();
  for (const digest of manifests) for (const number of blobsOf(digest)) blobs.add(number);
  return blobs;
}
