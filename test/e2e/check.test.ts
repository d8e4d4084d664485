import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { attestation, blob, buildImage, buildIndex, type FixtureImage, layerOf, sha256 } from '../fixtures/image.ts';
import { blobFile, writeLayout } from '../fixtures/layout.ts';
import { tar } from '../fixtures/tar.ts';
import { run } from '../peers/process.ts';
import { newWorld, ROOT, type World } from '../peers/program.ts';

const layer = layerOf([{ name: 'a', data: 'a' }]);
const archive = tar([{ name: 'a', data: 'a' }]);
const good = buildImage({ layers: [layer, layer] });
const arm = buildImage({ layers: [layerOf([{ name: 'arm' }])], architecture: 'arm64' });
const lost = layerOf([{ name: 'lost', data: 'lost' }]);
const spoiled = layerOf([{ name: 'spoiled', data: 'spoiled' }]);
const raw = (bytes: Uint8Array) => ({ ...blob('', bytes), diffId: sha256(archive) });

/** The damage, the part that the message names, and the message. */
const WRONG: Readonly<Record<string, readonly [FixtureImage, part: string, problem: RegExp]>> = {
  diffid: [
    buildImage({ layers: [{ ...layer, diffId: sha256(Buffer.from('other')) }] }),
    'layer 1',
    /its diffID is sha256:.*, the config says sha256:/,
  ],
  few: [
    buildImage({ layers: [layer], lies: { rootfs: { type: 'layers', diff_ids: [] } } }),
    'config',
    /diffIDs for 0 layers, there are 1/,
  ],
  history: [
    buildImage({ layers: [layer], lies: { history: [{}, {}] } }),
    'config',
    /the history tells of 2 layers, there are 1/,
  ],
  type: [buildImage({ layers: [raw(archive)] }), 'layer 1', /its compression is none, its media type says gzip/],
  archive: [buildImage({ layers: [raw(gzipSync(Buffer.alloc(700, 'x')))] }), 'layer 1', /no tar archive/],
  cut: [buildImage({ layers: [raw(gzipSync(archive).subarray(0, 40))] }), 'layer 1', /the gzip bytes break off/],
  links: [
    buildImage({ layers: [layerOf([{ name: '../../up', data: 'x' }])] }),
    'layer 1',
    /climbs out of the root \[\.\.\/\.\.\/up\]/,
  ],
  lost: [buildImage({ layers: [lost] }), 'layer 1', /it has no blob sha256:/],
  spoiled: [buildImage({ layers: [layer, spoiled] }), 'layer 2', /expected sha256:/],
  platform: [
    buildIndex([{ ...arm, architecture: 'amd64' }]),
    'config',
    /it is for linux\/arm64, the index says linux\/amd64/,
  ],
  absent: [buildIndex([buildImage({ layers: [layer], cmd: ['absent'] })]), 'index', /none of its images is there/],
};

describe('images check', () => {
  let world: World;
  let layout: string;
  beforeAll(async () => {
    world = await newWorld();
    const wrong = Object.entries(WRONG).map(([name, [image]]) => [name, image]);
    layout = await writeLayout(join(world.path, 'layout'), {
      good,
      index: buildIndex([good, arm, attestation('{"provenance":true}')]),
      ...Object.fromEntries(wrong),
    });
    await rm(blobFile(layout, lost));
    await writeFile(blobFile(layout, spoiled), Buffer.from(spoiled.bytes).fill(0, 12, 13));
    await rm(blobFile(layout, WRONG.absent?.[0].children[0]?.manifest ?? lost));
  });
  afterAll(() => world[Symbol.asyncDispose]());

  it('finds no fault in a whole image, also with equal layers', async () => {
    const { status, stdout, stderr } = await world.images(['check', `oci:${layout}:good`]);
    expect({ status, stderr }).toEqual({ status: 0, stderr: 'All parts agree.\n' });
    expect(stdout.split('\n').map((line) => line.replace(/ sha256:.*/, ''))).toEqual([
      ...['ok    manifest', 'ok    config', 'ok    layer 1', 'ok    layer 2', 'ok    root file system', ''],
    ]);
  });

  it('checks every image of an index, and attestations as such', async () => {
    const { ok, parts } = JSON.parse(await world.must(['check', '--json', `oci:${layout}:index`]));
    expect(ok).toBe(true);
    expect(parts.map(({ what }: { readonly what: string }) => what)).toEqual([
      'index',
      ...['manifest', 'config', 'layer 1', 'layer 2', 'root file system'],
      ...['manifest', 'config', 'layer 1', 'root file system'],
      ...['manifest', 'config', 'layer 1'],
    ]);
    expect(parts.at(-1).notes).toEqual(['no files [application/vnd.in-toto+json]']);
  });

  it.each(Object.entries(WRONG))('names what is wrong: %s', async (name, [, part, problem]) => {
    const { status, stdout } = await world.images(['check', '--json', `oci:${layout}:${name}`]);
    expect(status).toBe(1);
    const { ok, parts } = JSON.parse(stdout) as { ok: boolean; parts: { what: string; problems: string[] }[] };
    expect(ok).toBe(false);
    const found = parts.filter(({ problems }) => problems.length > 0);
    expect(found.map(({ what }) => what)).toEqual([part]);
    expect(found[0]?.problems.join('\n')).toMatch(problem);
  });

  it.each([
    ['good', 0, 'All parts agree.\n'],
    ['diffid', 1, '1 problem.\n'],
  ])('gives its exit status even if its reader has gone: %s', async (name, status, stderr) => {
    const script = `"${join(ROOT, 'bin/images')}" check "$1" | true; exit "$\{PIPESTATUS[0]}"`;
    const result = await run('bash', ['-c', script, 'bash', `oci:${layout}:${name}`], { env: world.env });
    expect(result).toEqual({ status, stdout: '', stderr });
  });

  it('says in one line that standard output is full', async () => {
    const script = `"${join(ROOT, 'bin/images')}" check "$1" >/dev/full`;
    const { status, stderr } = await run('bash', ['-c', script, 'bash', `oci:${layout}:good`], { env: world.env });
    expect({ status, stderr }).toEqual({
      status: 1,
      stderr: expect.stringMatching(/^ERROR: no space left \[standard output\]\n.*\n$/),
    });
  });
});
