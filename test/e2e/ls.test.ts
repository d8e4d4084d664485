import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildImage, randomLayer } from '../fixtures/image.ts';
import { writeLayout } from '../fixtures/layout.ts';
import { run } from '../peers/process.ts';
import { newWorld, ROOT, type World } from '../peers/program.ts';
import { BASE, LOOKED, TOP } from './testing/looked.ts';

/** More than 1024 bytes, because zeros of that size are an empty archive. */
const LARGE = randomLayer('large', 2000);

describe('images ls', () => {
  let world: World;
  let image: string;
  let large: string;
  beforeAll(async () => {
    world = await newWorld();
    const layout = await writeLayout(join(world.path, 'layout'), {
      app: LOOKED,
      large: buildImage({ layers: [LARGE] }),
    });
    image = `oci:${layout}:app`;
    large = `oci:${layout}:large`;
  });
  afterAll(() => world[Symbol.asyncDispose]());

  it('lists the root, a directory, one file, with types, modes, owners, sizes, times and targets', async () => {
    expect(await world.must(['ls', image])).toBe(
      'drwxr-xr-x 0 0 0 1970-01-01 00:00:00 bin\ndrwxr-xr-x 0 0 0 1970-01-01 00:00:00 etc\ndrwxr-xr-x 0 0 0 1970-01-01 00:00:00 new\n',
    );
    expect(await world.must(['ls', image, '/etc'])).toBe(
      'lrwxrwxrwx 0 0 0 1970-01-01 00:00:00 etc/link -> ../../etc/passwd\n-rw-r--r-- 0 0 8 1970-01-01 00:00:00 etc/passwd\n',
    );
    expect(await world.must(['ls', image, 'bin/tool'])).toBe('-rwsr-xr-x 0 0 4 1970-01-01 00:00:00 bin/tool\n');
  });

  it('never leaves the root, whatever a path says', async () => {
    expect(await world.must(['ls', image, '../../../bin'])).toBe('-rwsr-xr-x 0 0 4 1970-01-01 00:00:00 bin/tool\n');
  });

  it('lists what one layer brings', async () => {
    for (const name of ['2', TOP.diffId.slice(7), TOP.digest.slice(7, 15)]) {
      const names = (await world.must(['ls', '-R', `--layer=${name}`, image]))
        .split('\n')
        .map((line) => line.slice(37));
      expect(names).toEqual(['etc', 'etc/passwd', 'new', 'new/odd\\033[31m\\nname', '']);
    }
    expect(await world.images(['ls', '--layer=3', image])).toMatchObject({ status: 2, stdout: '' });
  });

  it('gives all of it as JSON', async () => {
    const files = JSON.parse(await world.must(['ls', '-R', '--json', image]));
    expect(files.map(({ path }: { readonly path: string }) => path)).toEqual([
      ...['bin', 'bin/tool', 'etc', 'etc/link', 'etc/passwd', 'new', 'new/odd\\033[31m\\nname'],
    ]);
    expect(files[4]).toEqual({
      path: 'etc/passwd',
      type: 'file',
      mode: '0644',
      uid: 0,
      gid: 0,
      size: 8,
      mtime: '1970-01-01T00:00:00Z',
      layer: TOP.diffId.slice(7),
    });
  });

  it.each([
    [
      'a bit of it',
      (bytes: Buffer) => bytes.with(100, (bytes[100] as number) ^ 1),
      /^ERROR: digest is sha256:\w+, expected sha256:/,
    ],
    ['its end', (bytes: Buffer) => bytes.subarray(0, -20), /^ERROR: blob has \d+ bytes, expected \d+ /],
    ['all of it, to zeros', (bytes: Buffer) => Buffer.alloc(bytes.length), /^ERROR: .*digest/],
  ])('detects that the disk has changed a layer of the store: %s', async (_what, changed, said) => {
    await world.must(['copy', large, 'stored:1']);
    const hex = LARGE.digest.slice(7);
    const file = join(world.data, 'docker/registry/v2/blobs/sha256', hex.slice(0, 2), hex, 'data');
    const bytes = await readFile(file);
    await rm(join(world.data, 'images/indexes'), { recursive: true, force: true });
    await writeFile(file, changed(Buffer.from(bytes)));
    const { status, stdout, stderr } = await world.images(['ls', 'stored:1']);
    expect({ status, stdout, said: stderr.match(said)?.index ?? stderr }).toEqual({ status: 1, stdout: '', said: 0 });
    // The damaged blob was not indexed, and the mark in the store no longer applies.
    await writeFile(file, bytes);
    expect(await world.must(['ls', 'stored:1'])).toContain(' data');
  });

  it('is right again after check, if the remembered index of a layer was wrong', async () => {
    await world.must(['copy', image, 'remembered:1']);
    const listed = await world.must(['ls', '-R', 'remembered:1']);
    const file = (digest: string) => join(world.data, 'images/indexes', digest.replace(':', '/'));
    await writeFile(file(TOP.digest), await readFile(file(BASE.digest)));
    expect(await world.must(['ls', '-R', 'remembered:1'])).not.toBe(listed);
    await world.must(['check', 'remembered:1']);
    expect(await world.must(['ls', '-R', 'remembered:1'])).toBe(listed);
  });

  it('reports what is not there, with a hint', async () => {
    const { status, stdout, stderr } = await world.images(['ls', image, '/etc/gone']);
    expect({ status, stdout }).toEqual({ status: 1, stdout: '' });
    expect(stderr).toMatch(/^ERROR: no such file in the image \[\/etc\/gone\]\n.*`images why IMAGE PATH`.*\n$/);
  });

  it('ends quietly if its reader has gone', async () => {
    const script = `${ROOT}/bin/images docker_ls_layers "$1" | head -1; echo "$\{PIPESTATUS[0]}"`;
    const { stdout, stderr } = await run('bash', ['-c', script, 'bash', image], { env: world.env });
    expect(stdout).toMatch(/^=== Layer; [0-9a-f]{64}\n0\n$/);
    expect(stderr).toBe('');
  });
});
