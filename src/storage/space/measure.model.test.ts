// Own, shared and reclaimable bytes of random stores, compared with a plain model: what is needed with an image and without it, by reachability alone.
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { type Blob, blobOf, bytesOf, manifestOf, opener } from '../../../test/contract/content.ts';
import { growth, LINEAR } from '../../../test/testing/growth.ts';
import type { Digest } from '../../oci/digest.ts';
import { manifestDescriptor, type RawManifest } from '../../oci/manifest.ts';
import { OCI_CONFIG, OCI_INDEX, OCI_MANIFEST } from '../../oci/media-types.ts';
import { memoryStore } from '../drivers/staged-store.ts';
import { registryStore } from '../registry-store.ts';
import type { RegistryStore } from '../store.ts';
import { measureStore } from './measure.ts';

const BLOBS: readonly Blob[] = Array.from({ length: 8 }, (_, at) => blobOf(bytesOf(`blob ${at}`, 100 * 2 ** at)));
const CONFIG = blobOf(Buffer.from('{}'), OCI_CONFIG);

interface Made {
  readonly manifest: RawManifest;
  readonly blobs: readonly Digest[];
  readonly children: readonly Made[];
}

function imageWith(layers: readonly number[], subject?: Made): Made {
  const parts = [CONFIG, ...layers.map((at) => BLOBS[at] as Blob)];
  const manifest = manifestOf({
    mediaType: OCI_MANIFEST,
    config: CONFIG.descriptor,
    layers: parts.slice(1).map(({ descriptor }) => descriptor),
    ...(subject && { subject: manifestDescriptor(subject.manifest) }),
  });
  return { manifest, blobs: parts.map(({ descriptor }) => descriptor.digest), children: [] };
}

function indexWith(children: readonly Made[]): Made {
  const manifest = manifestOf({
    mediaType: OCI_INDEX,
    manifests: children.map((child) => manifestDescriptor(child.manifest)),
  });
  return { manifest, blobs: [], children };
}

/** A push to a tag, in this order; an index after its children; a referrer after its subject. Without a tag it came by digest. */
interface Push {
  readonly repository: string;
  readonly tag: string | undefined;
  readonly layers: readonly number[];
  readonly second: readonly number[] | undefined;
  readonly signed: readonly number[] | undefined;
}

const layers = fc.uniqueArray(fc.nat(7), { minLength: 1, maxLength: 4 });
const pushes: fc.Arbitrary<readonly Push[]> = fc.array(
  fc.record({
    repository: fc.constantFrom('a', 'a/b', 'c'),
    tag: fc.option(fc.constantFrom('1', '2', '3'), { nil: undefined, freq: 4 }),
    layers,
    second: fc.option(layers, { nil: undefined }),
    signed: fc.option(layers, { nil: undefined }),
  }),
  { minLength: 1, maxLength: 8 },
);

/** What the model knows of a store: for each repository its tags, its manifests, and how they came. */
class Model {
  readonly tags = new Map<string, Made>();
  readonly manifests = new Map<string, Map<Digest, Made>>();
  readonly referrers = new Map<string, Made[]>();
  readonly byDigest = new Set<string>();
  readonly states = new Map<string, Set<Digest>>();
  readonly sizes = new Map<Digest, number>();

  add(repository: string, made: Made, tag: string | undefined): void {
    const { digest, bytes } = made.manifest;
    this.sizes.set(digest, bytes.length);
    this.manifests.set(repository, (this.manifests.get(repository) ?? new Map()).set(digest, made));
    if (tag === undefined) this.byDigest.add(`${repository}@${digest}`);
    else {
      this.tags.set(`${repository}:${tag}`, made);
      this.states.set(`${repository}:${tag}`, (this.states.get(`${repository}:${tag}`) ?? new Set()).add(digest));
    }
  }

  refer(repository: string, subject: Made, referrer: Made): void {
    const key = `${repository}@${subject.manifest.digest}`;
    this.referrers.set(key, [...(this.referrers.get(key) ?? []), referrer]);
  }

  /** All digests that stay because of this manifest: its own, what it names, and of its children and referrers. */
  reach(repository: string, made: Made, into = new Set<Digest>()): Set<Digest> {
    into.add(made.manifest.digest);
    for (const blob of made.blobs) into.add(blob);
    for (const part of [...made.children, ...(this.referrers.get(`${repository}@${made.manifest.digest}`) ?? [])])
      this.reach(repository, part, into);
    return into;
  }

  /** Manifests that no tag means and that are no part of another. */
  loose(repository: string): readonly Made[] {
    const all = [...(this.manifests.get(repository) ?? new Map<Digest, Made>()).values()];
    const parts = new Set(
      all.flatMap((made) =>
        [...made.children, ...(this.referrers.get(`${repository}@${made.manifest.digest}`) ?? [])].map(
          (part) => part.manifest.digest,
        ),
      ),
    );
    const tagged = new Set(
      [...this.tags].filter(([name]) => name.split(':')[0] === repository).map(([, made]) => made.manifest.digest),
    );
    return all.filter(({ manifest: { digest } }) => !tagged.has(digest) && !parts.has(digest));
  }

  /** By name. */
  images(): ReadonlyMap<string, { repository: string; made: Made }> {
    const images = new Map<string, { repository: string; made: Made }>();
    for (const [name, made] of this.tags) images.set(name, { repository: name.split(':')[0] as string, made });
    for (const repository of this.manifests.keys())
      for (const made of this.loose(repository)) {
        const name = `${repository}@${made.manifest.digest}`;
        if (this.byDigest.has(name)) images.set(name, { repository, made });
      }
    return images;
  }

  /** Bytes of what these images need. */
  bytes(images: Iterable<{ repository: string; made: Made }>): number {
    const needed = new Set<Digest>();
    for (const { repository, made } of images) this.reach(repository, made, needed);
    return [...needed].reduce((sum, digest) => sum + (this.sizes.get(digest) ?? 0), 0);
  }

  /** Bytes that collections remove: what these repositories' manifests that lost their tag need, and no image does. */
  reclaimable(repository: string, counts: (digest: Digest) => boolean): number {
    const lost = this.loose(repository).filter(
      ({ manifest: { digest } }) => !this.byDigest.has(`${repository}@${digest}`) && counts(digest),
    );
    const images = [...this.images().values()];
    return this.bytes([...images, ...lost.map((made) => ({ repository, made }))]) - this.bytes(images);
  }
}

async function filled(all: readonly Push[]): Promise<{ store: RegistryStore; model: Model }> {
  const store = registryStore(memoryStore());
  const model = new Model();
  for (const { descriptor } of [CONFIG, ...BLOBS]) model.sizes.set(descriptor.digest, descriptor.size);
  const put = async (repository: string, made: Made, tag?: string) => {
    for (const blob of [CONFIG, ...BLOBS])
      if (made.blobs.includes(blob.descriptor.digest))
        await store.registry.putBlob(repository, blob.descriptor, opener(blob.bytes));
    await store.registry.putManifest(repository, made.manifest, tag === undefined ? [] : [tag]);
    model.add(repository, made, tag);
  };
  for (const { repository, tag, layers: of, second, signed } of all) {
    const first = imageWith(of);
    const root = second ? indexWith([first, imageWith(second)]) : first;
    for (const child of root.children) await put(repository, child);
    await put(repository, root, tag);
    if (!signed) continue;
    const signature = imageWith(signed, root);
    await put(repository, signature);
    if (
      !model.referrers
        .get(`${repository}@${root.manifest.digest}`)
        ?.some((one) => one.manifest.digest === signature.manifest.digest)
    )
      model.refer(repository, root, signature);
  }
  return { store, model };
}

it('own bytes are those that are needed with the image and not without it', async () => {
  await fc.assert(
    fc.asyncProperty(pushes, async (all) => {
      const { store, model } = await filled(all);
      const measured = await measureStore(store);
      const images = model.images();
      const rows = [...measured.repositories()];
      expect(rows.flatMap((row) => row.images.map(({ name }) => name)).sort()).toEqual([...images.keys()].sort());
      const everything = model.bytes(images.values());
      for (const row of rows) {
        const inside = (repository: string) => repository === row.repository;
        const within = [...images.values()].filter(({ repository }) => inside(repository));
        const size = model.bytes(within);
        const own = everything - model.bytes([...images.values()].filter(({ repository }) => !inside(repository)));
        const reclaimable = model.reclaimable(row.repository, () => true);
        expect(row).toMatchObject({ size, own, shared: size - own, reclaimable });
        for (const image of row.images) {
          const meant = images.get(image.name) ?? expect.fail(image.name);
          const whole = model.bytes([meant]);
          const alone =
            everything - model.bytes([...images].filter(([name]) => name !== image.name).map(([, one]) => one));
          const before = model.states.get(image.name);
          const former = model.reclaimable(row.repository, (digest) => before?.has(digest) === true);
          expect(image).toMatchObject({ size: whole, own: alone, shared: whole - alone, reclaimable: former });
        }
      }
      const { bytes, images: held, builds, former, unnamed } = measured;
      expect(held).toBe(everything);
      expect(held + builds + former + unnamed).toBe(bytes);
      expect(unnamed).toBe(0);
    }),
    { numRuns: 60 },
  );
});

it('costs in proportion to the repositories', async () => {
  const stores = new Map<number, RegistryStore>();
  for (const count of [20, 80]) {
    const { store } = await filled(
      Array.from({ length: count }, (_, at) => ({
        repository: `r${at}`,
        tag: '1',
        layers: [at % 8],
        second: undefined,
        signed: undefined,
      })),
    );
    stores.set(count, store);
  }
  const run = (store: RegistryStore | undefined) =>
    store && measureStore(store).then((measured) => [...measured.repositories()]);
  expect(await growth(20, (count) => stores.get(count), run)).toBeLessThan(LINEAR);
});
