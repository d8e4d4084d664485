// A scrub fetches what it finds damaged from where it came.
import { expect, it, onTestFinished } from 'vitest';
import { buildImage, layerOf } from '../../../test/fixtures/image.ts';
import type { RepairEvent } from '../../observe/housekeeping.ts';
import type { Digest } from '../../oci/digest.ts';
import { readLastCheck } from '../../storage/check/check-record.ts';
import { checkStore } from '../../storage/check/check-store.ts';
import { blobKey } from '../../storage/layout/registry-keys.ts';
import { hostsAndStore } from '../testing/hosts-and-store.ts';
import { mendByScrub } from './mend-by-scrub.ts';

const APP = buildImage({ layers: [layerOf([{ name: 'app', data: 'app' }])] });
const LAYER = APP.blobs.at(-1)?.digest as Digest;

/** `quay.io/team/app:1` is on its host, and in the store with a damaged layer. */
async function scene() {
  const ends = await hostsAndStore();
  onTestFinished(() => ends[Symbol.asyncDispose]());
  const { store, hosts } = ends;
  await ends.publish('quay.io/team/app:1', APP);
  await ends.load('quay.io/team/app:1', APP);
  await store.objects.put(blobKey(LAYER), Buffer.from('damage'));
  const events: RepairEvent[] = [];
  let [opened, closed] = [0, 0];
  const openHosts = async () => {
    opened += 1;
    return {
      registryOf: hosts.registryOf,
      [Symbol.asyncDispose]: async () => {
        closed += 1;
      },
    };
  };
  const mend = async (how: { readonly openHosts: typeof openHosts | undefined } = { openHosts }) => {
    const check = await checkStore(store, { origin: 'scheduled', youngMs: -60_000, betweenMs: 1 });
    return await mendByScrub(check, {
      store,
      pace: () => undefined,
      onEvent: (event) => events.push(event),
      ...how,
    });
  };
  return { store, events, mend, connections: () => ({ opened, closed }) };
}

it('what a scrub finds damaged is whole again, is told, and is no finding of the last check', async () => {
  const { store, events, mend, connections } = await scene();
  expect(await mend()).toMatchObject({ mended: [{ digest: LAYER }], faults: [] });
  expect(events.map(({ type }) => type)).toEqual(['fetching', 'mended']);
  expect(await store.blobs.check(LAYER)).toBe('whole');
  expect(await readLastCheck(store.objects)).toMatchObject({ by: 'scheduled', findings: 0, images: 0 });
  expect(connections()).toEqual({ opened: 1, closed: 1 });
});

it('no registry is asked where no image has come from one', async () => {
  const { store, mend, connections } = await scene();
  for await (const { host, path, tag } of store.names.all()) await store.names.delete(host, path, tag);
  expect((await mend()).faults).toMatchObject([{ digest: LAYER }]);
  expect(connections()).toEqual({ opened: 0, closed: 0 });
});

it('nothing is mended without registries that may be asked', async () => {
  const { mend, events } = await scene();
  expect(await mend({ openHosts: undefined })).toMatchObject({ mended: [], faults: [{ digest: LAYER }] });
  expect(events).toEqual([]);
});
