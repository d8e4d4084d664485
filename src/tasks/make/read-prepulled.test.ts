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
    await using layout = await madeArchives({ 'quay.io/b:1': one, 'quay.io/a:1': two });
    await layout.make('out', ['quay.io/b:1', 'quay.io/a:1'], { format: 'tar' });
    const listed = await listPrepulled(layout.at('out'), layout.settings);
    expect(listed).toEqual([
      expect.objectContaining({ names: ['quay.io/a:1'], digest: two.manifest.digest, layers: 2 }),
      expect.objectContaining({ names: ['quay.io/b:1'], digest: one.manifest.digest, layers: 1 }),
    ]);
    const [a, b] = listed;
    expect((a?.size ?? 0) > (b?.size ?? 0) && (b?.size ?? 0) > base.bytes.length).toBe(true);
  });

  it('is checked part by part, each reported as it is examined', async () => {
    await using layout = await madeArchives({ 'quay.io/a:1': two });
    await layout.make('out', ['quay.io/a:1'], { format: 'tar' });
    const told: PrepulledPart[] = [];
    const parts = await checkPrepulled(layout.at('out'), layout.settings, (part) => told.push(part));
    expect(told).toEqual(parts);
    expect(parts.flatMap(({ problems }) => problems)).toEqual([]);
    expect(parts.map(({ what }) => what.split(' ')[0])).toEqual(expect.arrayContaining(['layer', 'image']));
  });

  it('in which a file has changed is reported for its layer', async () => {
    await using layout = await madeArchives({ 'quay.io/a:1': one });
    await layout.make('out', ['quay.io/a:1'], { format: 'tar' });
    const archive = await layout.bytes('out');
    archive.write('HELLO', archive.indexOf('hello\0'));
    await writeFile(layout.at('out'), archive);
    const parts = await checkPrepulled(layout.at('out'), layout.settings, () => {});
    const bad = parts.filter(({ problems }) => problems.length > 0);
    expect(bad.map(({ what }) => what.split(' ')[0])).toEqual(['layer']);
  });

  it('that is cut off is not accepted as a store', async () => {
    await using layout = await madeArchives({ 'quay.io/a:1': one });
    await layout.make('out', ['quay.io/a:1'], { format: 'tar' });
    await truncate(layout.at('out'), 3000);
    await expect(listPrepulled(layout.at('out'), layout.settings)).rejects.toMatchObject({ code: 'TAR_INVALID' });
  });
});

describe('a file to list that', () => {
  it('is not there, or is a directory, cannot be read', async () => {
    await using layout = await madeArchives({});
    for (const path of [layout.at('nowhere'), layout.world.path]) {
      const refused = { code: 'FILE_UNREADABLE', message: `cannot read ${path}` };
      await expect(listPrepulled(path, layout.settings)).rejects.toMatchObject(refused);
      await expect(checkPrepulled(path, layout.settings, () => {})).rejects.toMatchObject(refused);
    }
  });

  it('is a file system is read through a program, which is named where it is missing', async () => {
    await using layout = await madeArchives({});
    await writeFile(layout.at('out'), 'hsqs');
    const settings = { ...layout.settings, env: { ...layout.settings.env, PATH: layout.at('bin') } };
    await expect(listPrepulled(layout.at('out'), settings)).rejects.toMatchObject({ code: 'UNSUPPORTED' });
  });

  it('is a file system is read as the archive that a program makes of it', async () => {
    await using layout = await madeArchives({ 'quay.io/a:1': one });
    await layout.make('store.tar', ['quay.io/a:1'], { format: 'tar' });
    await layout.world.script('bin/sqfs2tar', `test "$1" = --help && exit; cat ${layout.at('store.tar')}`);
    await writeFile(layout.at('out'), 'hsqs');
    const { PATH } = layout.settings.env;
    const settings = { ...layout.settings, env: { ...layout.settings.env, PATH: `${layout.at('bin')}:${PATH}` } };
    const listed = await listPrepulled(layout.at('out'), settings);
    expect(listed.map(({ names }) => names)).toEqual([['quay.io/a:1']]);
  });
});
