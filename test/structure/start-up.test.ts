// What a short command loads: each of Node's larger modules costs one to ten milliseconds of forty, each file one, each hundred kilobytes of code one.
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { mkdir, readdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { openEmbeddedStore } from '../../src/storage/embedded-store.ts';
import { putFixture } from '../../src/tasks/testing/hosts-and-store.ts';
import { buildImage, randomLayer } from '../fixtures/image.ts';
import { run } from '../peers/process.ts';
import { newWorld, ROOT, type World } from '../peers/program.ts';
import { eventually } from '../testing/eventually.ts';

const HOOK = join(import.meta.dirname, 'testing/what-is-loaded.cjs');

interface Loaded {
  /** Names of Node's modules that an empty program does not load. */
  readonly builtins: readonly string[];
  /** The program's own files, without the hashes in their names. */
  readonly files: readonly string[];
  /** Of these files, in bytes. */
  readonly size: number;
}

describe('the shortest commands load', () => {
  it('one file of code, and none of the larger modules of Node: whether an image is there', async () => {
    await using world = await newWorld();
    const image = buildImage({ layers: [randomLayer('small', 1000)] });
    const store = await openEmbeddedStore(world.data);
    await putFixture(store.registry, { path: 'library/small', tag: '1' }, image);
    const { builtins, files, size } = await loaded(world, ['lreg_isloaded', 'library/small:1']);
    expect(files).toEqual(['core.js', 'images.js']);
    expect(size).toBeLessThan(339_500);
    expect(builtins.filter((name) => !CHEAP.includes(name))).toEqual([]);
  });

  it('two files of code: which images an overlay needs, as long as it has not changed', async () => {
    await using world = await newWorld();
    const overlay = join(world.path, 'overlay');
    await mkdir(overlay);
    writeFileSync(join(overlay, 'pod.yaml'), 'kind: Pod\nspec:\n  containers:\n  - image: docker.io/library/small:1\n');
    // What has changed a moment ago may change again within the same tick of the clock, so it is not remembered.
    const answer = await eventually(async () => {
      expect(await world.must(['getimages', overlay])).toBe('docker.io/library/small:1\n');
      return await readdir(join(world.env.XDG_CACHE_HOME ?? '', 'images/scans'))
        .catch(() => [])
        .then((names) => names[0]);
    });
    expect(answer).toContain('overlay');
    const { builtins, files, size } = await loaded(world, ['getimages', overlay]);
    expect(files).toEqual(['core.js', 'images.js', 'search.js']);
    expect(size).toBeLessThan(387_000);
    // Its standard output brings the streams.
    const dear = builtins.filter((name) => ['crypto', 'http', 'https', 'zlib', 'child_process', 'tls'].includes(name));
    expect(dear).toEqual([]);
  });
});

const CHEAP = ['module', 'os', 'timers/promises'];

async function loaded(world: World, command: readonly string[]): Promise<Loaded> {
  const program = await notes(world, [join(ROOT, 'dist/images.js'), ...command]);
  const withFiles = await notes(world, [join(ROOT, 'dist/images.js'), ...command], 'files');
  writeFileSync(join(world.path, 'empty.mjs'), '');
  const empty = await notes(world, [join(world.path, 'empty.mjs')]);
  const paths = withFiles.files.map((url) => fileURLToPath(url));
  return {
    builtins: program.builtins.filter((name) => !empty.builtins.includes(name)),
    files: paths.map((path) => basename(path).replace(/-.{8}\.js$/, '.js')).sort(),
    size: paths.reduce((sum, path) => sum + statSync(path).size, 0),
  };
}

async function notes(
  world: World,
  args: readonly string[],
  files = '',
): Promise<{ builtins: string[]; files: string[] }> {
  const to = join(world.path, 'loaded.json');
  const env = { ...world.env, LOADED_TO: to, LOADED_FILES: files };
  const { status, stderr } = await run(process.execPath, ['--require', HOOK, ...args], { env });
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  return JSON.parse(readFileSync(to, 'utf8'));
}
