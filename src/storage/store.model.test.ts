// The store on disk compared with the one in memory: the same calls in any order give the same answers.
import fc from 'fast-check';
import { expect, it } from 'vitest';
import {
  type Blob,
  bytesOf,
  chunked,
  collect,
  imageOf,
  indexOf,
  opener,
  pushImage,
} from '../../test/contract/content.ts';
import { rounds, timeFor } from '../../test/testing/soak.ts';
import type { RawManifest } from '../oci/manifest.ts';
import type { Registry } from '../registry/contract.ts';
import { hostNames } from '../registry/policies/host-names.ts';
import { diskStore, memoryStore } from './drivers/staged-store.ts';
import { nameRecords } from './repositories/name-records.ts';
import { storedRegistry } from './repositories/stored-registry.ts';
import type { Store } from './store.ts';
import { testDirectory } from './testing/directories.ts';

const REPOSITORIES = ['app', 'library/app', 'app/sub', 'app-2'];
const TAGS = ['1', '1-a', 'latest'];
const IMAGES = ['a', 'b'].map((seed) => imageOf(seed));
const BLOBS: readonly Blob[] = IMAGES.flatMap(({ config, layers }) => [config, ...layers]);
const MANIFESTS: readonly RawManifest[] = [
  ...IMAGES.map(({ manifest }) => manifest),
  indexOf(IMAGES.map(({ manifest }) => manifest)),
  imageOf('a', { subject: { ...indexOf([]), mediaType: 'x/y' } }).manifest,
];

type Step = (registry: Registry) => Promise<unknown>;

const repository = fc.constantFrom(...REPOSITORIES);
const tag = fc.constantFrom(...TAGS);
const blob = fc.constantFrom(...BLOBS);
const manifest = fc.constantFrom(...MANIFESTS);
const reference = fc.oneof(
  tag,
  manifest.map(({ digest }) => digest as string),
);

const step: fc.Arbitrary<readonly [string, Step]> = fc.oneof(
  named('put blob', fc.tuple(repository, blob), (registry, [name, { descriptor, bytes }]) =>
    registry.putBlob(name, descriptor, opener(bytes)),
  ),
  named('put wrong blob', fc.tuple(repository, blob), (registry, [name, { descriptor, bytes }]) =>
    registry.putBlob(name, descriptor, opener(bytesOf('wrong', bytes.length))),
  ),
  named('mount', fc.tuple(repository, blob), (registry, [name, { descriptor }]) =>
    registry.mountBlob(name, descriptor.digest),
  ),
  named('upload', fc.tuple(repository, blob), async (registry, [name, { descriptor, bytes }]) => {
    await using upload = await registry.openUpload(name);
    await upload.append(chunked(bytes));
    return await upload.commit(descriptor.digest);
  }),
  named('push', fc.tuple(repository, fc.constantFrom(...IMAGES), fc.subarray(TAGS)), (registry, [name, image, tags]) =>
    pushImage(registry, name, image, tags),
  ),
  named('put manifest', fc.tuple(repository, manifest, fc.subarray(TAGS)), (registry, [name, raw, tags]) =>
    registry.putManifest(name, raw, tags),
  ),
  named('delete tag', fc.tuple(repository, tag), (registry, [name, one]) => registry.deleteTag(name, one)),
  named('delete manifest', fc.tuple(repository, manifest), (registry, [name, { digest }]) =>
    registry.deleteManifest(name, digest),
  ),
  named('delete blob', fc.tuple(repository, blob), (registry, [name, { descriptor }]) =>
    registry.deleteBlob(name, descriptor.digest),
  ),
  named('stat blob', fc.tuple(repository, blob), (registry, [name, { descriptor }]) =>
    registry.statBlob(name, descriptor.digest),
  ),
  named(
    'get blob',
    fc.tuple(repository, blob, fc.nat(1200), fc.boolean()),
    async (registry, [name, one, from, verify]) => {
      const { body } = await registry.getBlob(name, one.descriptor.digest, { from, verify });
      return (await collect(body)).toString('hex');
    },
  ),
  named('get manifest', fc.tuple(repository, reference), async (registry, [name, wanted]) => {
    return (await registry.getManifest(name, wanted)).digest;
  }),
  named('stat manifest', fc.tuple(repository, reference), (registry, [name, wanted]) =>
    registry.statManifest(name, wanted),
  ),
  named('tags', fc.tuple(repository, fc.constantFrom('', ...TAGS)), (registry, [name, after]) =>
    Array.fromAsync(registry.tags(name, after)),
  ),
  named('repositories', fc.tuple(fc.constantFrom('', ...REPOSITORIES)), (registry, [after]) =>
    Array.fromAsync(registry.repositories(after)),
  ),
  named('referrers', fc.tuple(repository, manifest), async (registry, [name, { digest }]) => {
    const found = await Array.fromAsync(registry.referrers(name, digest));
    return found.map((one) => one.digest).sort();
  }),
);

function named<T>(name: string, values: fc.Arbitrary<T>, run: (registry: Registry, value: T) => Promise<unknown>) {
  return values.map((value) => [name, (registry: Registry) => run(registry, value)] as const);
}

/** The outcome of a call: a value, or the code of its error. */
async function outcome(work: Promise<unknown>): Promise<unknown> {
  try {
    return await work;
  } catch (error) {
    const { code } = error as { code?: string };
    if (code === undefined) throw error;
    return { code };
  }
}

const registryOver = (store: Store) => hostNames(storedRegistry(store), nameRecords(store.objects));

it('gives the same answers as the store in memory, whatever was done before', {
  timeout: timeFor(60_000),
}, async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 10, maxLength: 60 }), async (steps) => {
      await using directory = await testDirectory();
      const memory = registryOver(memoryStore());
      const store = diskStore(directory.path);
      for (const [at, [name, run]] of steps.entries()) {
        // A different process for each call.
        const disk = at % 7 === 0 ? registryOver(diskStore(directory.path)) : registryOver(store);
        expect(await outcome(run(disk)), `step ${at}: ${name}`).toEqual(await outcome(run(memory)));
      }
    }),
    { numRuns: rounds(60) },
  );
});
