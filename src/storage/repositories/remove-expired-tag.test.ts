// A tag that goes by age, and a push of it at the same moment, in every order of their calls with few switches between them.
import { expect, it } from 'vitest';
import { imageOf, pushImage } from '../../../test/contract/content.ts';
import { stagedStore } from '../drivers/staged-store.ts';
import { tagIndexPrefix, tagLinkKey } from '../layout/registry-keys.ts';
import { createMemoryObjectStore } from '../object-store/memory-object-store.ts';
import type { ObjectStore } from '../object-store/object-store.ts';
import type { Objects } from '../objects.ts';
import { copiedStore, explore } from '../testing/interleavings.ts';
import { linkedManifest } from './list-manifests.ts';
import { pinsIn } from './pins.ts';
import { removeExpiredTag } from './remove-expired-tag.ts';
import { storedRegistry } from './stored-registry.ts';
import type { SeenTag } from './tag-in-motion.ts';

const SWITCHES = 2;
const [old, other] = [imageOf('old'), imageOf('other')];
const registryOf = (objects: ObjectStore) => storedRegistry(stagedStore(objects));

/** The tag `app:1` is `old`, of an hour ago. */
const before = await (async () => {
  const anHourAgo = new Date(Date.now() - 3_600_000);
  const objects = createMemoryObjectStore({ now: () => anHourAgo });
  await pushImage(registryOf(objects), 'app', old, ['1']);
  await pushImage(registryOf(objects), 'app', other, []);
  return objects;
})();
const newObjects = () => copiedStore(before);

async function seenIn(objects: Pick<Objects, 'stat'>): Promise<SeenTag> {
  const info = (await objects.stat(tagLinkKey('app', '1'))) ?? expect.fail();
  return { tag: '1', digest: old.manifest.digest, version: info.version, pushed: info.modified };
}

it.each([
  ['the same image', old],
  ['another image', other],
])('a push of %s is not lost', async (_what, { manifest }) => {
  const { ended } = await explore(async () => {
    const objects = await newObjects();
    const seen = await seenIn(objects);
    return {
      objects,
      actors: [
        { name: 'push', run: (mine) => registryOf(mine).putManifest('app', manifest, ['1']) },
        {
          name: 'removal',
          run: async (mine) => void (await removeExpiredTag(stagedStore(mine).objects, 'app', seen)),
        },
      ],
      check: async () => {},
      end: async () => {
        expect((await registryOf(objects).statManifest('app', '1'))?.digest).toBe(manifest.digest);
      },
    };
  }, SWITCHES);
  expect(ended).toBeGreaterThan(10);
});

it('a tag is not said to be pinned, and gone', async () => {
  const seenPinned = new Set<boolean>();
  await explore(async () => {
    const objects = await newObjects();
    const seen = await seenIn(objects);
    const pin = { repository: 'app', reference: '1' };
    let isPinned = false;
    return {
      objects,
      actors: [
        {
          name: 'pin',
          run: async (mine) => {
            const store = stagedStore(mine).objects;
            await pinsIn(store).add(pin);
            isPinned = (await linkedManifest(store, 'app', '1')) !== undefined;
          },
        },
        {
          name: 'removal',
          run: async (mine) => void (await removeExpiredTag(stagedStore(mine).objects, 'app', seen)),
        },
      ],
      check: async () => {},
      end: async () => {
        seenPinned.add(isPinned);
        const found = (await registryOf(objects).statManifest('app', '1'))?.digest;
        if (isPinned) expect(found).toBe(old.manifest.digest);
      },
    };
  }, SWITCHES);
  expect(seenPinned.size).toBe(2);
});

it('a tag that nobody pushes goes with its records', async () => {
  const objects = await newObjects();
  expect(await removeExpiredTag(stagedStore(objects).objects, 'app', await seenIn(objects))).toBe(true);
  expect([await objects.stat(tagLinkKey('app', '1')), await objects.any(tagIndexPrefix('app', '1'))]).toEqual([
    undefined,
    false,
  ]);
});
