import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { temporaryWorld } from '../testing/temporary-world.ts';
import { findOverlay } from './overlays.ts';

const XCLUSTER = `
case "$1" in
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

  it('is found by asking $XCLUSTER, whose warnings are ignored', async () => {
    await using world = await temporaryWorld();
    await world.file('overlays/one/a.yaml', '');
    const settings = world.settings({
      XCLUSTER: await world.script('xcluster.sh', XCLUSTER),
      OVERLAYS: join(world.path, 'overlays'),
    });
    expect(await findOverlay('one', settings)).toEqual({ kind: 'directory', path: join(world.path, 'overlays/one') });
    await expect(findOverlay('two', settings)).rejects.toMatchObject({ code: 'OVERLAY_UNKNOWN' });
  });

  it('is looked for along $XCLUSTER_OVLPATH; the first one wins', async () => {
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
