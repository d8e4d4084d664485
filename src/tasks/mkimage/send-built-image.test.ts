import { join } from 'node:path';
import { expect, it } from 'vitest';
import { buildImage, layerOf } from '../../../test/fixtures/image.ts';
import type { CopyEvent } from '../../copy/events.ts';
import { parseReference } from '../../oci/reference.ts';
import { ociSource } from '../../transports/layout/layout-source.ts';
import { putBuilt } from '../testing/built-image.ts';
import { hostsAndStore } from '../testing/hosts-and-store.ts';
import { type BuiltImageGoal, sendBuiltImage } from './send-built-image.ts';

const image = buildImage({ layers: [layerOf([{ name: 'file', data: 'text' }])], architecture: 's390x' });
const NAME = parseReference('quay.io/a/b:1');

/** Sends the image from a store that has it. */
async function send(goal: (directory: string) => BuiltImageGoal) {
  const ends = await hostsAndStore();
  await putBuilt(ends.store, 'quay.io/a/b:1', image);
  const settings = ends.world.settings({}, { data: join(ends.world.path, 'store') });
  const events: CopyEvent[] = [];
  const sent = await sendBuiltImage(NAME, goal(ends.world.path), settings, (event) => events.push(event));
  return { ...ends, sent, events, [Symbol.asyncDispose]: () => ends[Symbol.asyncDispose]() };
}

it('sending a built image to the private registry of this machine copies no bytes, for any platform', async () => {
  await using ends = await send(() => ({ kind: 'private', includeHost: false }));
  expect(ends.sent).toMatchObject({ fetched: 0, failed: [], copied: [{ digest: image.manifest.digest }] });
  expect((await ends.store.stripped.getManifest('a/b', '1')).digest).toBe(image.manifest.digest);
  expect(await ends.store.names.hostsOf('a/b', '1')).toEqual([{ host: 'quay.io', digest: image.manifest.digest }]);
});

it('sending a built image can keep its host in the repository’s name', async () => {
  await using ends = await send(() => ({ kind: 'private', includeHost: true }));
  expect((await ends.store.stripped.statManifest('quay.io/a/b', '1'))?.digest).toBe(image.manifest.digest);
  expect(await ends.store.stripped.statManifest('a/b', '1')).toBeUndefined();
});

it('sending a built image to any other location uses the name in it', async () => {
  await using ends = await send((directory) => ({ kind: 'location', text: `oci:${directory}/layout:2` }));
  await using copy = ociSource({ path: join(ends.world.path, 'layout'), ref: '2' });
  expect((await copy.root()).digest).toBe(image.manifest.digest);
  expect(ends.events.map(({ type }) => type)).toEqual(expect.arrayContaining(['plan', 'image-done']));
});

it('sending a built image to a Docker daemon that does not run is reported', async () => {
  await expect(send(() => ({ kind: 'docker' }))).rejects.toMatchObject({ code: 'NOT_RUNNING' });
});

it('sending an image that was not built is a bug', async () => {
  await using ends = await hostsAndStore();
  const settings = ends.world.settings({}, { data: join(ends.world.path, 'store') });
  await expect(sendBuiltImage(NAME, { kind: 'private', includeHost: false }, settings)).rejects.toThrow(
    'what was just built is not there [quay.io/a/b:1]',
  );
});
