import { join } from 'node:path';
import { expect, it } from 'vitest';
import { formatReference } from '../../oci/reference.ts';
import { openEmbeddedStore } from '../../storage/embedded-store.ts';
import { ociSource } from '../../transports/layout/layout-source.ts';
import { overlayImage } from '../testing/overlay-image.ts';
import { temporaryWorld } from '../testing/temporary-world.ts';
import { type MakeAndSendOptions, makeAndSendImage } from './make-and-send.ts';

const DOCKERFILE = 'FROM scratch\nADD ovl.tar /\n';

async function make(goals: (path: string) => MakeAndSendOptions['goals'], options: MakeAndSendOptions = {}) {
  const world = await temporaryWorld();
  const order: string[] = [];
  const directory = await overlayImage(world, 'image', { files: { Dockerfile: DOCKERFILE } });
  const made = await makeAndSendImage(directory, world.settings(), {
    tag: 'quay.io/x/app:1',
    goals: goals(world.path) ?? [],
    onEvent: ({ type }) => order.push(type),
    onMade: async ({ name }) => {
      order.push('made');
      await Promise.resolve();
      order.push(formatReference(name));
    },
    onCopyEvent: ({ type }) => order.push(`copy ${type}`),
    ...options,
  });
  return { world, order, made, [Symbol.asyncDispose]: () => world[Symbol.asyncDispose]() };
}

it('an image is built, told, and then sent to one goal after the other', async () => {
  await using run = await make((path) => [
    { kind: 'private', includeHost: false },
    { kind: 'location', text: `oci:${path}/layout:1` },
  ]);
  const { made, order, world } = run;
  expect(made.sent).toHaveLength(2);
  const at = order.indexOf('made');
  expect(order[at + 1]).toBe('quay.io/x/app:1');
  expect(order.slice(0, at).some((type) => type.startsWith('copy '))).toBe(false);
  expect(order.slice(at + 2).every((type) => type.startsWith('copy '))).toBe(true);
  const { registry } = await openEmbeddedStore(join(world.path, 'share/images'));
  expect((await registry.getManifest('x/app', '1')).digest).toBe(made.digest);
  await using copy = ociSource({ path: join(world.path, 'layout'), ref: '1' });
  expect((await copy.root()).digest).toBe(made.digest);
});

it('without goals nothing is sent', async () => {
  await using run = await make(() => []);
  expect(run.made.sent).toEqual([]);
  const { registry } = await openEmbeddedStore(join(run.world.path, 'share/images'));
  expect(await Array.fromAsync(registry.repositories())).toEqual([]);
});

it('an image that could not be sent stays built', async () => {
  let name = '';
  const sending = make(() => [{ kind: 'docker' }], {
    onMade: (made) => {
      name = formatReference(made.name);
    },
  });
  await expect(sending).rejects.toMatchObject({ code: 'NOT_RUNNING' });
  expect(name).toBe('quay.io/x/app:1');
});
