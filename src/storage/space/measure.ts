// How much space each image takes. *Own* are the bytes that become free if only this image is removed, and garbage is collected; the others are *shared*: another
// image, a build or another repository needs them as well. *Reclaimable* is what the next collections remove anyway: former states of tags, and what nothing names.
import { createLimiter } from '../../io/concurrency/limiter.ts';
import type { Digest } from '../../oci/digest.ts';
import type { NameRecord } from '../../registry/policies/full-names.ts';
import { spellings } from '../../registry/policies/name-lookup.ts';
import { digestsOfBuilds } from '../collector/build-references.ts';
import { allRepositories } from '../collector/manifest-references.ts';
import type { CollectionEvent, CollectionRun } from '../collector/run.ts';
import type { RegistryStore } from '../store.ts';
import { type RepositoryImages, repositoryImages } from './repository-images.ts';
import { spaceGraph } from './space-graph.ts';

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

const REPOSITORIES_AT_ONCE = 16;
const BATCH = 256;
/** Instead of the number of an owner: a blob has none, or several. */
const [NONE, SEVERAL] = [0, -1];

export async function measureStore(store: RegistryStore, options: MeasureOptions = {}): Promise<StoreSpace> {
  const run: CollectionRun = { ...options, step: async () => options.signal?.throwIfAborted() };
  const graph = await spaceGraph(store, run.step);
  const { sizes } = graph;
  const builds = new Uint8Array(sizes.length);
  const { images: built, steps } = await digestsOfBuilds(store, run);
  for (const digest of [...built, ...steps]) {
    const number = graph.numberOf(digest);
    if (number !== undefined) builds[number] = 1;
  }

  const found = await allImages();
  const imageOwners = new Int32Array(sizes.length);
  const repositoryOwners = new Int32Array(sizes.length);
  const isFormer = new Uint8Array(sizes.length);
  let image = 0;
  for (const [at, repository] of found.entries()) {
    for (const { digest } of repository.images) {
      image += 1;
      for (const number of repository.blobsOf(digest)) {
        own(imageOwners, number, image);
        own(repositoryOwners, number, at + 1);
      }
    }
    for (const digest of repository.former) for (const number of repository.blobsOf(digest)) isFormer[number] = 1;
  }

  const sum = (numbers: Iterable<number>, counts: (number: number) => boolean = () => true): number => {
    let bytes = 0;
    for (const number of numbers) if (counts(number)) bytes += sizes[number] ?? 0;
    return bytes;
  };
  const isFree = (number: number) => imageOwners[number] === NONE && builds[number] === 0;

  function useOf(
    blobs: ReadonlySet<number>,
    { owners, owner }: { owners: Int32Array; owner: number },
    former: ReadonlySet<number>,
  ): SpaceUse {
    const size = sum(blobs);
    const ownBytes = sum(blobs, (number) => owners[number] === owner && builds[number] === 0);
    return { size, own: ownBytes, shared: size - ownBytes, reclaimable: sum(former, isFree) };
  }

  function* repositories(): Generator<RepositorySpace> {
    let number = 0;
    for (const [at, { repository, images, former, blobsOf }] of found.entries()) {
      const blobs = new Set<number>();
      const measured = images.map(({ name, digest, tag, former: before }) => {
        number += 1;
        const held = blobsOf(digest);
        for (const one of held) blobs.add(one);
        const use = useOf(held, { owners: imageOwners, owner: number }, blobsOfAll(before, blobsOf));
        return { name, digest, ...(tag !== undefined && { tag }), ...use };
      });
      const use = useOf(blobs, { owners: repositoryOwners, owner: at + 1 }, blobsOfAll(former, blobsOf));
      yield { repository, ...use, images: measured };
    }
  }

  const totals = { images: 0, builds: 0, former: 0, unnamed: 0 };
  for (const number of sizes.keys()) {
    const kind =
      imageOwners[number] !== NONE ? 'images' : builds[number] ? 'builds' : isFormer[number] ? 'former' : 'unnamed';
    totals[kind] += sizes[number] ?? 0;
  }
  return { blobs: sizes.length, bytes: sum(sizes.keys()), ...totals, repositories };

  /** In the order of their names; without repositories that have nothing. */
  async function allImages(): Promise<readonly RepositoryImages[]> {
    const recorded = new Map<string, NameRecord[]>();
    for await (const record of store.names.all()) {
      const records = recorded.get(record.path);
      if (records) records.push(record);
      else recorded.set(record.path, [record]);
    }
    const images: RepositoryImages[] = [];
    const limiter = createLimiter(REPOSITORIES_AT_ONCE);
    let batch: string[] = [];
    const read = async () => {
      const some = await limiter.map(batch, (repository) =>
        repositoryImages(store.objects, {
          repository,
          recorded: spellings(repository).flatMap((path) => recorded.get(path) ?? []),
          graph,
        }),
      );
      for (const one of some) if (one.images.length + one.former.length > 0) images.push(one);
      batch = [];
    };
    for await (const repository of allRepositories(store)) {
      run.onEvent?.({ type: 'reading', repository });
      await run.step();
      batch.push(repository);
      if (batch.length === BATCH) await read();
    }
    await read();
    return images;
  }
}

function own(owners: Int32Array, number: number, owner: number): void {
  owners[number] = owners[number] === NONE || owners[number] === owner ? owner : SEVERAL;
}

function blobsOfAll(
  manifests: readonly RepositoryImages['former'][number][],
  blobsOf: RepositoryImages['blobsOf'],
): ReadonlySet<number> {
  const blobs = new Set<number>();
  for (const digest of manifests) for (const number of blobsOf(digest)) blobs.add(number);
  return blobs;
}
