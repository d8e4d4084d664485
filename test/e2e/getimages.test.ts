import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { writeOverlay } from '../fixtures/overlay.ts';
import { newWorld } from '../peers/program.ts';

const PINNED = `docker.io/library/a:2@sha256:${'a'.repeat(64)}`;
const IMAGES = ['quay.io/b/b:1', 'alpine', PINNED];
const SORTED = `alpine\n${PINNED}\nquay.io/b/b:1\n`;

describe('images getimages', () => {
  it('prints the images of a directory, one a line, in byte order, each once', async () => {
    await using world = await newWorld();
    const overlay = await writeOverlay(join(world.path, 'one'), [...IMAGES, 'alpine']);
    expect(await world.images(['getimages', overlay])).toEqual({ status: 0, stdout: SORTED, stderr: '' });
  });

  it('finds overlays by name, through $XCLUSTER_OVLPATH or $XCLUSTER, whose warnings do not matter', async () => {
    await using world = await newWorld();
    await writeOverlay(join(world.path, 'ovl/one'), IMAGES);
    const XCLUSTER_OVLPATH = join(world.path, 'ovl');
    expect(await world.must(['getimages', 'one'], { env: { XCLUSTER_OVLPATH } })).toBe(SORTED);
    const XCLUSTER = join(world.path, 'xcluster.sh');
    const script = '#!/bin/sh\necho "WARNING: old"\ntest "$1" = ovld && test -d "$OVL/$2" && echo "$OVL/$2"\n';
    await writeFile(XCLUSTER, script, { mode: 0o755 });
    expect(await world.must(['getimages', 'one'], { env: { XCLUSTER, OVL: XCLUSTER_OVLPATH } })).toBe(SORTED);
    const unknown = await world.images(['getimages', 'two'], { env: { XCLUSTER, OVL: XCLUSTER_OVLPATH } });
    expect(unknown).toMatchObject({ status: 1, stdout: '' });
    expect(unknown.stderr).toMatch(/^ERROR: no such overlay, directory or file \[two\]\n/);
  });

  it('takes several overlays, single files, and links to them', async () => {
    await using world = await newWorld();
    await writeOverlay(join(world.path, 'one'), ['b:1']);
    await writeOverlay(join(world.path, 'two'), ['a:1', 'b:1']);
    expect(await world.must(['getimages', 'one', 'two'])).toBe('a:1\nb:1\n');
    expect(await world.must(['getimages', 'two/default/etc/kubernetes/app-1.yaml'])).toBe('a:1\n');
    await symlink('two', join(world.path, 'link'));
    expect(await world.must(['getimages', 'link'])).toBe('a:1\nb:1\n');
  });

  it('prints nothing where there is nothing', async () => {
    await using world = await newWorld();
    await mkdir(join(world.path, 'empty'));
    expect(await world.images(['getimages'])).toEqual({ status: 0, stdout: '', stderr: '' });
    expect(await world.images(['getimages', 'empty'])).toEqual({ status: 0, stdout: '', stderr: '' });
  });

  it('says with --why where each image stands', async () => {
    await using world = await newWorld();
    await writeOverlay(join(world.path, 'one'), ['b:1']);
    expect(await world.must(['getimages', '--why', 'one'])).toBe(
      'b:1\tone/default/etc/kubernetes/app-1.yaml:8\tspec.containers[0].image\tcontainers\n',
    );
  });

  it('prints everything with --json', async () => {
    await using world = await newWorld();
    await writeOverlay(join(world.path, 'one'), ['b:1']);
    const place = { file: 'one/default/etc/kubernetes/app-1.yaml', line: 8, path: 'spec.containers[0].image' };
    expect(JSON.parse(await world.must(['getimages', '--json', 'one']))).toEqual({
      images: [{ image: 'b:1', places: [{ ...place, rule: 'containers' }] }],
      maybe: [],
      warnings: [],
    });
  });

  it('names a file that does not parse, and lists the rest', async () => {
    await using world = await newWorld();
    await writeOverlay(join(world.path, 'one'), ['b:1']);
    await writeFile(join(world.path, 'one/broken.yaml'), 'a: [1\nb: }\n');
    const { status, stdout, stderr } = await world.images(['getimages', 'one']);
    expect({ status, stdout }).toEqual({ status: 0, stdout: 'b:1\n' });
    expect(stderr).toMatch(/^WARNING: one\/broken\.yaml:\d+: /);
  });
});
