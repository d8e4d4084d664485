import { join } from 'node:path';
import { zstdCompressSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { blob, buildImage, layerOf } from '../fixtures/image.ts';
import { writeLayout } from '../fixtures/layout.ts';
import { tar } from '../fixtures/tar.ts';
import { run } from '../peers/process.ts';
import { newWorld, ROOT } from '../peers/program.ts';

const FILES = [
  { name: 'same', data: 'same' },
  { name: 'mode', data: 'x' },
  { name: 'text', data: 'one' },
  { name: 'longer', data: 'one' },
  { name: 'gone', data: '12345' },
  { name: 'kind', data: 'file' },
];
const OTHERS = [
  { name: 'same', data: 'same' },
  { name: 'mode', data: 'x', mode: 0o4755 },
  { name: 'text', data: 'two' },
  { name: 'longer', data: 'three' },
  { name: 'added/' },
  { name: 'kind', link: 'text' },
];

describe('images diff', () => {
  it('lists what was added, removed and changed, and in what; status 1', async () => {
    await using world = await newWorld();
    const layout = await writeLayout(join(world.path, 'layout'), {
      a: buildImage({ layers: [layerOf(FILES)] }),
      b: buildImage({ layers: [layerOf(OTHERS)] }),
    });
    const args = ['diff', `oci:${layout}:a`, `oci:${layout}:b`];
    expect(await world.images(args)).toEqual({
      status: 1,
      stdout: [
        '+ added/',
        '- gone (5 bytes)',
        '~ kind: file → symlink',
        '~ longer: content (3 → 5 bytes)',
        '~ mode: mode rw-r--r-- → rwsr-xr-x',
        '~ text: content (3 bytes)',
        '',
      ].join('\n'),
      stderr: '6 differences: 1 added, 1 removed, 4 changed\n',
    });
    const { status, stdout } = await world.images([...args, '--json']);
    expect(status).toBe(1);
    expect(JSON.parse(stdout)[4]).toMatchObject({
      path: 'mode',
      change: 'changed',
      aspects: ['mode'],
      before: { mode: '0644' },
      after: { mode: '4755' },
    });
  });

  it('has status 1 for differences even if its reader has gone', async () => {
    await using world = await newWorld();
    const layout = await writeLayout(join(world.path, 'layout'), {
      a: buildImage({ layers: [layerOf(FILES)] }),
      b: buildImage({ layers: [layerOf(OTHERS)] }),
    });
    const script = `"${join(ROOT, 'bin/images')}" diff "$1" "$2" | true; exit "$\{PIPESTATUS[0]}"`;
    const args = ['-c', script, 'bash', `oci:${layout}:a`, `oci:${layout}:b`];
    expect((await run('bash', args, { env: world.env })).status).toBe(1);
  });

  it('ignores how layers are compressed or divided; status 0', async () => {
    await using world = await newWorld();
    const whole = layerOf(FILES);
    const bytes = zstdCompressSync(tar(FILES));
    const packed = { ...blob('', bytes), diffId: whole.diffId };
    const layout = await writeLayout(join(world.path, 'layout'), {
      a: buildImage({ layers: [whole] }),
      b: buildImage({ layers: [packed] }),
      c: buildImage({
        layers: [
          layerOf([...FILES.slice(0, 3), { name: 'extra' }]),
          layerOf([...FILES.slice(3), { name: '.wh.extra' }]),
        ],
      }),
    });
    for (const other of ['b', 'c']) {
      const result = await world.images(['diff', `oci:${layout}:a`, `oci:${layout}:${other}`]);
      expect(result).toEqual({ status: 0, stdout: '', stderr: 'No differences.\n' });
    }
  });
});
