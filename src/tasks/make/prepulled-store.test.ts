import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { buildImage, buildIndex, layerOf } from '../../../test/fixtures/image.ts';
import type { CopyEvent } from '../../copy/events.ts';
import { pipeOutput } from '../../io/files/rewindable-output.ts';
import { oneChunk } from '../../io/streams/one-chunk.ts';
import { readTar } from '../../tar/reader.ts';
import { madeArchives } from '../testing/made-archives.ts';
import type { MakeItem } from './make-items.ts';
import { makeStore, openImages, storeOutput } from './prepulled-store.ts';

const shared = layerOf([{ name: 'etc/' }, { name: 'etc/motd', data: 'hello' }]);
const one = buildImage({ layers: [shared] });
const two = buildImage({ layers: [shared, layerOf([{ name: 'bin/' }, { name: 'bin/tool', data: 'x'.repeat(3000) }])] });
const arm = buildImage({ layers: [shared], architecture: 'arm64' });

/** Counts how many sources of the items are open. */
function counted(items: readonly MakeItem[]): { readonly items: readonly MakeItem[]; readonly open: () => number } {
  let open = 0;
  const counting = items.map(
    (item): MakeItem => ({
      ...item,
      open: async (options) => {
        const source = await item.open(options);
        open++;
        return {
          ...source,
          [Symbol.asyncDispose]: async () => {
            open--;
            await source[Symbol.asyncDispose]();
          },
        };
      },
    }),
  );
  return { items: counting, open: () => open };
}

describe('the images of make', () => {
  it('are opened in order, each with its name; a layer of two of them counts once', async () => {
    await using layout = await madeArchives({ 'quay.io/a:1': one, 'b:2': two });
    const { items, open } = counted(await layout.items('quay.io/a:1', 'b:2'));
    const images = await openImages(items, layout.settings, {});
    expect(images.images.map(({ names }) => names)).toEqual([['quay.io/a:1'], ['docker.io/library/b:2']]);
    expect(images.bytes).toBe(two.blobs.slice(1).reduce((sum, { bytes }) => sum + bytes.length, 0));
    expect(open()).toBe(2);
    await images[Symbol.asyncDispose]();
    expect(open()).toBe(0);
  });

  it('without a name get none', async () => {
    await using layout = await madeArchives({ latest: one });
    await using images = await openImages(await layout.items('latest'), layout.settings, {});
    expect(images.images.map(({ name, names }) => [name, names])).toEqual([[undefined, []]]);
  });

  it('are closed where one of them is not there', async () => {
    await using layout = await madeArchives({ 'a:1': one, 'b:2': two });
    const { items, open } = counted(await layout.items('a:1', 'b:2', 'absent:1'));
    await expect(openImages(items, layout.settings, {})).rejects.toMatchObject({ code: 'MANIFEST_UNKNOWN' });
    expect(open()).toBe(0);
  });

  it('are not opened after a signal', async () => {
    await using layout = await madeArchives({ 'a:1': one });
    const { items, open } = counted(await layout.items('a:1'));
    const settings = { ...layout.settings, signal: AbortSignal.abort(new Error('enough')) };
    await expect(openImages(items, settings, {})).rejects.toThrow('enough');
    expect(open()).toBe(0);
  });

  it('are those of the platform, where they are in an index', async () => {
    await using layout = await madeArchives({ 'a:1': buildIndex([one, arm]) });
    const platform = { os: 'linux', architecture: 'arm64' };
    await using images = await openImages(await layout.items('a:1'), layout.settings, { platform });
    expect(images.images.map(({ image }) => image.raw.digest)).toEqual([arm.manifest.digest]);
    const s390x = { platform: { os: 'linux', architecture: 's390x' } };
    await expect(openImages(await layout.items('a:1'), layout.settings, s390x)).rejects.toMatchObject({
      code: 'PLATFORM_UNKNOWN',
    });
    expect(layout.world.notes).toEqual([]);
  });

  it('without an index and for another platform are taken, with a warning', async () => {
    await using layout = await madeArchives({ 'a:1': arm });
    const platform = { os: 'linux', architecture: 'amd64' };
    await using images = await openImages(await layout.items('a:1'), layout.settings, { platform });
    expect(images.images).toHaveLength(1);
    expect(layout.world.notes).toEqual([expect.stringMatching(/^WARNING: .*linux\/arm64/)]);
  });

  it('whose config and manifest disagree are refused', async () => {
    const wrong = buildImage({
      layers: [shared],
      lies: { rootfs: { type: 'layers', diff_ids: [shared.diffId, shared.diffId] } },
    });
    await using layout = await madeArchives({ 'a:1': wrong });
    await expect(openImages(await layout.items('a:1'), layout.settings, {})).rejects.toMatchObject({
      code: 'MANIFEST_INVALID',
    });
  });
});

it('writing a store reports the total, each image, each layer and each byte', async () => {
  await using layout = await madeArchives({ 'a:1': one, 'b:2': two });
  const events: CopyEvent[] = [];
  const onEvent = (event: CopyEvent) => events.push(event);
  await using images = await openImages(await layout.items('a:1', 'b:2'), layout.settings, {});
  const sent: Uint8Array[] = [];
  let written = 0;
  await using output = pipeOutput(async (bytes) => void sent.push(bytes), layout.settings.temporaryDirectory);
  const made = await makeStore(images, output, layout.settings, {
    graphRoot: 'store',
    onEvent,
    onWritten: (bytes) => {
      written += bytes;
    },
  });
  const archive = Buffer.concat(sent);
  expect(made).toMatchObject({ layers: 2, taken: 0 });
  expect(made.images.map(({ digest }) => digest).toSorted()).toEqual(
    [one, two].map(({ manifest }) => manifest.digest).toSorted(),
  );
  expect(written).toBe(archive.length);
  const { bytes } = images;
  expect(events[0]).toEqual({ type: 'plan', images: 2, blobs: 2, bytes, alreadyThere: 0 });
  const [begun, ended] = (['image', 'image-done'] as const).map((type) =>
    events.filter((event) => event.type === type),
  );
  expect([begun?.length, ended?.length]).toEqual([2, 2]);
  expect(events.slice(-2)).toEqual(ended);
  const done = events.filter(({ type }) => type === 'blob-done');
  expect(done).toHaveLength(2);
  const progress = events.filter((event) => event.type === 'progress');
  const last = new Map(progress.map((event) => [event.digest, event.bytes]));
  expect([...last.values()].reduce((sum, each) => sum + each, 0)).toBe(bytes);
  const names: string[] = [];
  for await (const { name } of readTar(oneChunk(archive))) names.push(name);
  expect(names.every((name) => name.startsWith('store/'))).toBe(true);
  expect(names).toContain('store/overlay-images/images.json');
});

describe('the output of a store', () => {
  const NO_SEND = async () => {
    throw new Error('nothing is to be sent');
  };

  it('is a file that exists only when it is finished', async () => {
    await using layout = await madeArchives({});
    await using output = await storeOutput(layout.at('out'), NO_SEND, layout.settings);
    await output.write([Buffer.from('text')]);
    await expect(readFile(layout.at('out'))).rejects.toMatchObject({ code: 'ENOENT' });
    await output.finish();
    expect(String(await readFile(layout.at('out')))).toBe('text');
  });

  it('is standard output, for -', async () => {
    await using layout = await madeArchives({});
    const sent: string[] = [];
    await using output = await storeOutput(
      '-',
      async (bytes) => void sent.push(String(Buffer.from(bytes))),
      layout.settings,
    );
    await output.write([Buffer.from('text')]);
    await output.finish();
    expect(sent).toEqual(['text']);
  });

  it('may be a device, which is written in place; a full one is reported', async () => {
    await using layout = await madeArchives({});
    await using output = await storeOutput('/dev/full', NO_SEND, layout.settings);
    await output.write([Buffer.from('text')]);
    await expect(output.finish()).rejects.toMatchObject({ code: 'NO_SPACE', message: 'no space left [/dev/full]' });
  });

  it('cannot be a directory', async () => {
    await using layout = await madeArchives({});
    await expect(storeOutput(layout.world.path, NO_SEND, layout.settings)).rejects.toMatchObject({ code: 'EISDIR' });
  });
});
