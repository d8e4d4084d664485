// The files that short commands load. Scripts call them in loops, and each file costs time.
import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { must } from '../peers/process.ts';
import { newWorld, ROOT, type World } from '../peers/program.ts';
import { newScene } from './testing/scene.ts';

const HOOK = `
import { appendFileSync } from 'node:fs';
import { registerHooks } from 'node:module';
registerHooks({
  load(url, context, next) {
    const chunk = /\\/dist\\/(?:chunks\\/)?([^/]+?)(?:-[\\w-]{8})?\\.js$/.exec(url)?.[1];
    if (chunk) appendFileSync(process.env.LOADED, chunk + '\\n');
    return next(url, context);
  },
});
`;

/** Records each file of the library (`dist/lib/`) that is loaded. */
const LIBRARY_HOOK = `
import { appendFileSync } from 'node:fs';
import { registerHooks } from 'node:module';
import { fileURLToPath } from 'node:url';
registerHooks({
  load(url, context, next) {
    if (url.includes('/dist/lib/')) appendFileSync(process.env.LOADED, fileURLToPath(url) + '\\n');
    return next(url, context);
  },
});
`;

async function loaded(world: World, args: readonly string[]): Promise<readonly string[]> {
  const hook = join(world.path, 'hook.mjs');
  const list = join(world.path, 'loaded');
  await writeFile(hook, HOOK);
  await writeFile(list, '');
  await world.must(args, { env: { NODE_OPTIONS: `--import=${hook}`, LOADED: list } });
  return (await readFile(list, 'utf8')).trim().split('\n').sort();
}

describe('the code that is loaded', () => {
  it('is one chunk to say whether an image is there, two where an overlay has nothing to do', async () => {
    await using scene = await newScene();
    const { world, at } = scene;
    const overlay = await scene.overlay('one', [at('library/alpine:1')]);
    // Waits until the files are old enough for the scan to be cached.
    await setTimeout(1100);
    await world.must(['lreg_preload', overlay]);
    expect(await loaded(world, ['lreg_isloaded', at('library/alpine:1')])).toEqual(['core', 'images']);
    for (const command of ['lreg_preload', 'lreg_missingimages', 'getimages']) {
      expect(await loaded(world, [command, overlay]), command).toEqual(['core', 'images', 'search']);
    }
  });

  it('has no transports but registries for preloading, and no copy engine for looking into an image', async () => {
    await using scene = await newScene();
    const { world, at } = scene;
    const copying = await loaded(world, ['lreg_preload', await scene.overlay('one', [at('library/alpine:1')])]);
    expect(copying).toEqual(expect.arrayContaining(['copy', 'scan']));
    for (const chunk of ['transports', 'tar']) expect(copying).not.toContain(chunk);
    const looking = await loaded(world, ['ls', at('library/alpine:1')]);
    expect(looking).toContain('tar');
    for (const chunk of ['transports', 'copy', 'scan']) expect(looking).not.toContain(chunk);
  });

  it('is only a part of the library if only that part is imported', async () => {
    await using world = await newWorld();
    const bytesOf = async (name: string) => {
      const list = join(world.path, `${name}.list`);
      await writeFile(join(world.path, 'hook.mjs'), LIBRARY_HOOK);
      await writeFile(
        join(world.path, 'import.mjs'),
        `await import(${JSON.stringify(join(ROOT, `dist/lib/${name}.js`))});`,
      );
      const node = process.env.IMAGES_TEST_NODE ?? process.execPath;
      await must(node, ['--import', join(world.path, 'hook.mjs'), join(world.path, 'import.mjs')], {
        env: { LOADED: list },
      });
      const files = (await readFile(list, 'utf8')).trim().split('\n');
      const sizes = await Promise.all(files.map(async (file) => (await stat(file)).size));
      return sizes.reduce((sum, size) => sum + size, 0);
    };
    const [tar, oci, all] = [await bytesOf('tar'), await bytesOf('oci'), await bytesOf('index')];
    for (const part of [tar, oci]) expect(part / all).toBeLessThan(0.1);
  });
});
