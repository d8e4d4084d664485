// The argument `-`: lists in the formats of other tools, manifests, and messages about invalid ones.
import { describe, expect, it } from 'vitest';
import { newWorld } from '../peers/program.ts';
import { newScene, TOOL } from './testing/scene.ts';

describe('standard input', () => {
  it('may be a manifest as well as a list, wherever images are taken', async () => {
    await using scene = await newScene();
    const { world, at } = scene;
    const [alpine, tool] = [at('library/alpine:1'), at(`team/tool@${TOOL.manifest.digest}`)];
    const lock = `apiVersion: imgpkg.carvel.dev/v1alpha1\nkind: ImagesLock\nimages:\n- image: ${alpine}\n- image: ${tool}\n`;
    const input = { input: lock };
    expect(await world.must(['getimages', '-'], input)).toBe([alpine, tool].map((image) => `${image}\n`).join(''));
    expect((await world.images(['lreg_cache', '-'], input)).stderr).toContain('2 images cached');
    expect((await world.images(['lreg_preload', '-'], input)).stderr).toContain('2 there before');
    expect((await world.images(['lreg_missingimages', '-'], input)).status).toBe(0);
    const missing = await world.images(['lreg_missingimages', '--json', '-'], { input: 'quay.io/not/there:1' });
    expect(missing.status).toBe(1);
    expect(await world.must(['getimages', '-'], { input: missing.stdout })).toBe('quay.io/not/there:1\n');
  });

  it('that names what is no reference is refused, or with --keep-going counted as a failure', async () => {
    await using scene = await newScene();
    const { world, at } = scene;
    const input = `NOT/ONE\n${at('library/alpine:1')}\n`;
    for (const args of [
      ['getimages', '-'],
      ['lreg_cache', '-'],
      ['lreg_preload', '-'],
    ]) {
      const { status, stdout, stderr } = await world.images(args, { input });
      expect({ status, stdout }, args[0]).toEqual({ status: 1, stdout: '' });
      expect(stderr, args[0]).toMatch(/^ERROR: not an image reference \[NOT\/ONE\]/m);
    }
    for (const command of ['lreg_cache', 'lreg_preload']) {
      const { status, stderr } = await world.images([command, '--keep-going', '--force', '-'], { input });
      expect(status, command).toBe(1);
      expect(stderr, command).toMatch(/1 image failed:\n {2}NOT\/ONE: not an image reference/);
      expect(stderr, command).toContain('1 image cached');
    }
  });

  it('may be empty', async () => {
    await using world = await newWorld();
    expect(await world.must(['getimages', '-'], { input: '' })).toBe('');
  });
});
