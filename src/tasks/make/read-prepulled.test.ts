import { truncate, writeFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { buildImage, layerOf } from '../../../test/fixtures/image.ts';
import { madeArchives } from '../testing/made-archives.ts';
import type { PrepulledPart } from './prepulled-parts.ts';
import { checkPrepulled, listPrepulled } from './read-prepulled.ts';

const base = layerOf([{ name: 'etc/' }, { name: 'etc/motd', data: 'hello' }]);
const one = buildImage({ layers: [base] });
const two = buildImage({ layers: [base, layerOf([{ name: 'bin/' }, { name: 'bin/tool', data: 'tool' }])] });

describe('a store that was made', () => {
  it('lists its images by name, with the size of their layers unpacked', async () => {
    await using place = await madeArchives({ 'quay.io/b:1': one, 'quay.io/a:1': two });
    await place.make('out', ['quay.io/b:1', 'quay.io/a:1'], { format: 'tar' });
    const listed = await listPrepulled(place.at('out'), place.settings);
    expect(listed).toEqual([
      expect.objectContaining({ names: ['quay.io/a:1'], digest: two.manifest.digest, layers: 2 }),
      expect.objectContaining({ names: ['quay.io/b:1'], digest: one.manifest.digest, layers: 1 }),
    ]);
    const [a, b] = listed;
    expect((a?.size ?? 0) > (b?.size ?? 0) && (b?.size ?? 0) > base.bytes.length).toBe(true);
  });

  it('is checked part by part, each told as it is examined', async () => {
    await using place = await madeArchives({ 'quay.io/a:1': two });
    await place.make('out', ['quay.io/a:1'], { format: 'tar' });
    const told: PrepulledPart[] = [];
    const parts = await checkPrepulled(place.at('out'), place.settings, (part) => told.push(part));
    expect(told).toEqual(parts);
    expect(parts.flatMap(({ problems }) => problems)).toEqual([]);
    expect(parts.map(({ what }) => what.split(' ')[0])).toEqual(expect.arrayContaining(['layer', 'image']));
  });

  it('in which a file is another is told, by its layer', async () => {
    await using place = await madeArchives({ 'quay.io/a:1': one });
    await place.make('out', ['quay.io/a:1'], { format: 'tar' });
    const archive = await place.bytes('out');
    archive.write('HELLO', archive.indexOf('hello\0'));
    await writeFile(place.at('out'), archive);
    const parts = await checkPrepulled(place.at('out'), place.settings, () => {});
    const bad = parts.filter(({ problems }) => problems.length > 0);
    expect(bad.map(({ what }) => what.split(' ')[0])).toEqual(['layer']);
  });

  it('that is cut off is no store', async () => {
    await using place = await madeArchives({ 'quay.io/a:1': one });
    await place.make('out', ['quay.io/a:1'], { format: 'tar' });
    await truncate(place.at('out'), 3000);
    await expect(listPrepulled(place.at('out'), place.settings)).rejects.toMatchObject({ code: 'TAR_INVALID' });
  });
});

describe('a file that', () => {
  it('is not there, or is a directory, cannot be read', async () => {
    await using place = await madeArchives({});
    for (const path of [place.at('nowhere'), place.world.path]) {
      for (const reading of [listPrepulled(path, place.settings), checkPrepulled(path, place.settings, () => {})]) {
        await expect(reading).rejects.toMatchObject({ code: 'FILE_UNREADABLE', message: `cannot read ${path}` });
      }
    }
  });

  it('is a file system is read through a program, which is named where it is missing', async () => {
    await using place = await madeArchives({});
    await writeFile(place.at('out'), 'hsqs');
    const settings = { ...place.settings, env: { ...place.settings.env, PATH: place.at('bin') } };
    await expect(listPrepulled(place.at('out'), settings)).rejects.toMatchObject({ code: 'UNSUPPORTED' });
  });

  it('is a file system is read as the archive that a program makes of it', async () => {
    await using place = await madeArchives({ 'quay.io/a:1': one });
    await place.make('store.tar', ['quay.io/a:1'], { format: 'tar' });
    await place.world.script('bin/sqfs2tar', `test "$1" = --help && exit; cat ${place.at('store.tar')}`);
    await writeFile(place.at('out'), 'hsqs');
    const { PATH } = place.settings.env;
    const settings = { ...place.settings, env: { ...place.settings.env, PATH: `${place.at('bin')}:${PATH}` } };
    const listed = await listPrepulled(place.at('out'), settings);
    expect(listed.map(({ names }) => names)).toEqual([['quay.io/a:1']]);
  });
});
