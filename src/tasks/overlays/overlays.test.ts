import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { temporaryWorld } from '../testing/temporary-world.ts';
import { findOverlay } from './overlays.ts';
import { pauseImage } from './pause-image.ts';
import { xclusterEnvironment } from './xcluster.ts';

const XCLUSTER = `
case "$1" in
env)
	echo "WARNING: no image [/x=y]"
	echo "XCLUSTER_TMP='/tmp/x y'"
	echo "__net_setup=/x/net-setup-userspace.sh"
	echo "QUOTED='it'\\\\''s'" ;;
ovld)
	echo "WARNING: old"
	test -d "$OVERLAYS/$2" || { echo "ERROR: Ovl not found [$2]" >&2; exit 1; }
	echo "$OVERLAYS/$2" ;;
esac`;

describe('an overlay', () => {
  it('is a directory or a file that is named', async () => {
    await using world = await temporaryWorld();
    const file = await world.file('overlays/one/a.yaml', '');
    expect(await findOverlay(join(world.path, 'overlays/one'), world.settings())).toMatchObject({ kind: 'directory' });
    expect(await findOverlay(file, world.settings())).toEqual({ kind: 'file', path: file });
  });

  it('is asked of $XCLUSTER, warnings aside', async () => {
    await using world = await temporaryWorld();
    await world.file('overlays/one/a.yaml', '');
    const settings = world.settings({
      XCLUSTER: await world.script('xcluster.sh', XCLUSTER),
      OVERLAYS: join(world.path, 'overlays'),
    });
    expect(await findOverlay('one', settings)).toEqual({ kind: 'directory', path: join(world.path, 'overlays/one') });
    await expect(findOverlay('two', settings)).rejects.toMatchObject({ code: 'OVERLAY_UNKNOWN' });
  });

  it('is looked for along $XCLUSTER_OVLPATH, the first wins', async () => {
    await using world = await temporaryWorld();
    await world.file('b/one/a.yaml', '');
    await world.file('c/one/a.yaml', '');
    const settings = world.settings({
      XCLUSTER_OVLPATH: ['a', 'b', 'c'].map((name) => join(world.path, name)).join(':'),
    });
    expect(await findOverlay('one', settings)).toMatchObject({ path: join(world.path, 'b/one') });
  });

  it('that is nowhere is named, with what to do', async () => {
    await using world = await temporaryWorld();
    await expect(findOverlay('nowhere', world.settings())).rejects.toMatchObject({
      code: 'OVERLAY_UNKNOWN',
      message: 'no such overlay, directory or file [nowhere]',
      hint: expect.stringContaining('XCLUSTER_OVLPATH'),
    });
  });
});

describe('xcluster’s environment', () => {
  it('is read without its warnings, quotes removed as a shell does', async () => {
    await using world = await temporaryWorld();
    const settings = world.settings({ XCLUSTER: await world.script('xcluster.sh', XCLUSTER) });
    expect(Object.fromEntries(await xclusterEnvironment(settings))).toEqual({
      XCLUSTER_TMP: '/tmp/x y',
      __net_setup: '/x/net-setup-userspace.sh',
      QUOTED: "it's",
    });
  });

  it('is empty where $XCLUSTER cannot be run', async () => {
    await using world = await temporaryWorld();
    expect((await xclusterEnvironment(world.settings({ XCLUSTER: '/nowhere/xcluster.sh' }))).size).toBe(0);
  });
});

describe('the pause image', () => {
  it('is what the option says, then the environment, then the overlay crio', async () => {
    await using world = await temporaryWorld();
    await world.script('overlays/crio/crio.sh', 'test "$1" = pause_image && echo registry.k8s.io/pause:3.9');
    const env = { XCLUSTER: await world.script('xcluster.sh', XCLUSTER), OVERLAYS: join(world.path, 'overlays') };
    expect(await pauseImage('p:1', world.settings({ ...env, IMAGES_PAUSE: 'p:2' }))).toBe('p:1');
    expect(await pauseImage(undefined, world.settings({ ...env, IMAGES_PAUSE: 'p:2' }))).toBe('p:2');
    expect(await pauseImage(undefined, world.settings(env))).toBe('registry.k8s.io/pause:3.9');
    expect(world.notes).toEqual([]);
  });

  it('is none, with a note, where nothing says it', async () => {
    await using world = await temporaryWorld();
    expect(await pauseImage(undefined, world.settings())).toBeUndefined();
    expect(world.notes).toEqual(['No pause image is added: give --pause=REF or set IMAGES_PAUSE.']);
  });
});
