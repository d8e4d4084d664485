// The store on disk compared with the one in memory: the same calls in any order give the same answers, and the same collections delete the same.
import fc from 'fast-check';
import { afterEach, expect, it, vi } from 'vitest';
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
import { collectStore } from './collector/collect.ts';
import { diskStore, memoryStore } from './drivers/staged-store.ts';
import { registryStore } from './registry-store.ts';
import type { RegistryStore } from './store.ts';
import { stampNewFiles, testDirectory } from './testing/directories.ts';

const REPOSITORIES = ['app', 'library/app', 'app/sub', 'app-2'];
const TAGS = ['1', '1-a', 'latest'];
const IMAGES = ['a', 'b'].map((seed) => imageOf(seed));
const BLOBS: readonly Blob[] = IMAGES.flatMap(({ config, layers }) => [config, ...layers]);
const MANIFESTS: readonly RawManifest[] = [
  ...IMAGES.map(({ manifest }) => manifest),
  indexOf(IMAGES.map(({ manifest }) => manifest)),
  imageOf('a', { subject: { ...indexOf([]), mediaType: 'x/y' } }).manifest,
];

type Step = (store: RegistryStore) => Promise<unknown>;

const HOUR = 3600 * 1000;

afterEach(() => {
  vi.useRealTimers();
});

const repository = fc.constantFrom(...REPOSITORIES);
const tag = fc.constantFrom(...TAGS);
const blob = fc.constantFrom(...BLOBS);
const manifest = fc.constantFrom(...MANIFESTS);
const reference = fc.oneof(
  tag,
  manifest.map(({ digest }) => digest as string),
);

const collection = fc
  .boolean()
  .map((dryRun): readonly [string, Step] => [dryRun ? 'collect, dry' : 'collect', (store) => collected(store, dryRun)]);

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
  { weight: 4, arbitrary: collection },
);

/** Time passes between some steps: hours or days. */
const pause = fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, fc.constantFrom(1, 25, 8 * 24));

async function collected(store: RegistryStore, dryRun: boolean): Promise<unknown> {
  const { manifests, ...counts } = await collectStore(store, { dryRun });
  return { ...counts, manifests: manifests.map(({ repository, digest }) => `${repository}@${digest}`).sort() };
}

function named<T>(name: string, values: fc.Arbitrary<T>, run: (registry: Registry, value: T) => Promise<unknown>) {
  return values.map((value) => [name, ({ registry }: RegistryStore) => run(registry, value)] as const);
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

it('gives the same answers as the store in memory, whatever was done before', {
  timeout: timeFor(60_000),
}, async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(step, pause), { minLength: 10, maxLength: 60 }), async (steps) => {
      await using directory = await testDirectory();
      // A clock of the test's own, far from the machine's: what has the machine's time was written in this step.
      vi.useFakeTimers({ toFake: ['Date'], now: new Date('2050-01-01T00:00:00Z') });
      const memory = registryStore(memoryStore());
      const store = registryStore(diskStore(directory.path));
      for (const [at, [[name, run], hours]] of steps.entries()) {
        // Another process each time.
        const disk = at % 7 === 0 ? registryStore(diskStore(directory.path)) : store;
        expect(await outcome(run(disk)), `step ${at}: ${name}`).toEqual(await outcome(run(memory)));
        await stampNewFiles(directory.path);
        vi.setSystemTime(Date.now() + hours * HOUR);
      }
    }),
    { numRuns: rounds(8) },
  );
});
