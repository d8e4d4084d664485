import { join } from 'node:path';
import { expect, it } from 'vitest';
import { memoryRegistry, sinkInto } from '../../copy/testing/memory-registry.ts';
import { oneChunk } from '../../io/streams/one-chunk.ts';
import { digestOf } from '../../oci/digest.ts';
import { formatReference } from '../../oci/reference.ts';
import { openEmbeddedStore } from '../../storage/embedded-store.ts';
import type { Transport } from '../../transports/transport.ts';
import { temporaryWorld } from '../testing/temporary-world.ts';
import { compressesLayers, openSink } from './open-sink.ts';

it('a bare name as a sink means the private registry, which is created if there is none, with a note', async () => {
  await using world = await temporaryWorld();
  await using opened = await openSink('quay.io/a/b:1', world.settings());
  expect([opened.name && formatReference(opened.name), opened.sink.label]).toEqual([
    'quay.io/a/b:1',
    join(world.path, 'share/images'),
  ]);
  expect(world.notes).toContainEqual(expect.stringContaining('No private registry runs: images are kept in'));
});

it('a location as a sink has the name that is in it, or none', async () => {
  await using world = await temporaryWorld();
  await using archive = await openSink(`docker-archive:${world.path}/a.tar:quay.io/a/b:1`, world.settings());
  expect(archive.name && formatReference(archive.name)).toBe('quay.io/a/b:1');
  await using layout = await openSink(`oci:${world.path}/layout`, world.settings());
  expect(layout.name).toBeUndefined();
});

it.each([
  [`sha256:${'a'.repeat(64)}`, 'Name the image by a reference or a tag'],
  ['containers-storage:a:1', 'make'],
  ['own:x', 'Its transport opens no sinks.'],
])('in %s no image can be put; the hint says what to do', async (text, hint) => {
  await using world = await temporaryWorld();
  const settings = world.settings({}, { transports: [{ name: 'own' }] });
  const error = await openSink(text, settings).catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ code: 'UNSUPPORTED', hint: expect.stringContaining(hint) });
});

it('a transport is closed after its sink', async () => {
  const closed: string[] = [];
  const transport: Transport = {
    name: 'own',
    openSink: async () => ({
      sink: { ...sinkInto(memoryRegistry()), [Symbol.asyncDispose]: async () => void closed.push('sink') },
      owner: { [Symbol.dispose]: () => void closed.push('owner') },
    }),
  };
  await using world = await temporaryWorld();
  const opened = await openSink('own:x', world.settings({}, { transports: [transport] }));
  expect(closed).toEqual([]);
  await opened[Symbol.asyncDispose]();
  expect(closed).toEqual(['sink', 'owner']);
});

it.each([
  ['a/b:1', true],
  ['docker://quay.io/a/b:1', true],
  ['oci:/dir', true],
  ['oci-archive:/file', true],
  ['docker-archive:/file', false],
  ['docker-daemon:a:1', false],
  ['dir:/dir', false],
  [`sha256:${'a'.repeat(64)}`, false],
  ['quiet:x', false],
  ['serving:x', true],
])('%s says whether it stores blobs for others: %s', (text, serves) => {
  const transports = [{ name: 'quiet' }, { name: 'serving', compressesLayers: true }];
  expect(compressesLayers(text, { transports })).toBe(serves);
});

it('blobs that are put into the private registry are in the user’s store', async () => {
  await using world = await temporaryWorld();
  await using opened = await openSink('a/b:1', world.settings());
  const bytes = Buffer.from('blob');
  const blob = { mediaType: 'text/plain', digest: digestOf(bytes), size: bytes.length };
  await opened.sink.putBlob({ path: 'a/b', tag: '1' }, blob, async () => oneChunk(bytes));
  const { registry } = await openEmbeddedStore(join(world.path, 'share/images'));
  expect(await registry.statBlob('a/b', blob.digest)).toMatchObject({ size: 4 });
});
