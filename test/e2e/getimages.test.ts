import { execFileSync } from 'node:child_process';
import { mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { writeOverlay } from '../fixtures/overlay.ts';
import { newWorld } from '../peers/program.ts';

const PINNED = `docker.io/library/a:2@sha256:${'a'.repeat(64)}`;
const IMAGES = ['quay.io/b/b:1', 'alpine', PINNED];
const SORTED = `alpine\n${PINNED}\nquay.io/b/b:1\n`;

async function writeChart(directory: string): Promise<void> {
  await mkdir(join(directory, 'templates'), { recursive: true });
  await writeFile(join(directory, 'Chart.yaml'), 'apiVersion: v2\nname: c\nversion: 1.0.0\n');
  await writeFile(join(directory, 'values.yaml'), 'image: quay.io/x/c\ntag: 1\n');
  const pod =
    'apiVersion: v1\nkind: Pod\nspec: {containers: [{name: x, image: "{{ .Values.image }}:{{ .Values.tag }}"}]}\n';
  await writeFile(join(directory, 'templates/pod.yaml'), pod);
}

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

  it('takes packed charts, named or on standard input, and refuses other archives', async () => {
    await using world = await newWorld();
    await writeChart(join(world.path, 'c'));
    execFileSync('tar', ['-C', world.path, '-czf', join(world.path, 'c-1.0.0.tgz'), 'c']);
    execFileSync('tar', ['-C', world.path, '-czf', join(world.path, 'other.tgz'), 'c/values.yaml']);
    expect(await world.images(['getimages', 'c-1.0.0.tgz'])).toEqual({
      status: 0,
      stdout: 'quay.io/x/c:1\n',
      stderr: '',
    });
    const stdin = await readFile(join(world.path, 'c-1.0.0.tgz'));
    expect(await world.must(['getimages', '-'], { input: stdin })).toBe('quay.io/x/c:1\n');
    const why = await world.must(['getimages', '--why', 'c-1.0.0.tgz']);
    expect(why).toBe('quay.io/x/c:1\tc-1.0.0.tgz!c/templates/pod.yaml:3\tspec.containers[0].image\thelm, containers\n');
    const other = await world.images(['getimages', 'other.tgz']);
    expect(other).toMatchObject({ status: 1, stdout: '' });
    expect(other.stderr).toMatch(/^ERROR: an archive that is no chart \[other\.tgz\]\n/);
    await writeFile(join(world.path, 'broken.tgz'), stdin.subarray(0, 100));
    expect((await world.images(['getimages', 'broken.tgz'])).stderr).toMatch(
      /^ERROR: neither a manifest nor a packed chart \[broken/,
    );
  });

  it('takes files that stand for their directory', async () => {
    await using world = await newWorld();
    await writeChart(join(world.path, 'c'));
    expect(await world.must(['getimages', 'c/Chart.yaml'])).toBe('quay.io/x/c:1\n');
    await writeFile(join(world.path, 'app.compose.yaml'), 'services: {a: {image: "a:$TAG"}}\n');
    await writeFile(join(world.path, '.env'), 'TAG=7\n');
    expect(await world.must(['getimages', 'app.compose.yaml'])).toBe('a:7\n');
    await mkdir(join(world.path, 'k'));
    await writeFile(
      join(world.path, 'k/kustomization.yaml'),
      'resources: [pod.yaml]\nimages: [{name: a, newTag: "2"}]\n',
    );
    await writeFile(
      join(world.path, 'k/pod.yaml'),
      'apiVersion: v1\nkind: Pod\nspec: {containers: [{image: "a:1", name: x}]}\n',
    );
    await writeFile(
      join(world.path, 'k/other.yaml'),
      'apiVersion: v1\nkind: Pod\nspec: {containers: [{image: "b:1", name: x}]}\n',
    );
    expect(await world.must(['getimages', '--why', 'k/kustomization.yaml'])).toMatch(
      /^a:2\tk\/kustomization\.yaml:2\t/,
    );
  });

  it('gives values to charts, as Helm does, and refuses them where there is none', async () => {
    await using world = await newWorld();
    await writeChart(join(world.path, 'ovl/c'));
    execFileSync('tar', ['-C', join(world.path, 'ovl'), '-czf', join(world.path, 'c.tgz'), 'c']);
    await writeFile(join(world.path, 'v.yaml'), 'image: quay.io/x/v\ntag: 2\n');
    for (const item of ['ovl', 'ovl/c', 'c.tgz', 'ovl/c/Chart.yaml']) {
      expect(await world.must(['getimages', '--values=v.yaml', item])).toBe('quay.io/x/v:2\n');
      expect(await world.must(['getimages', '-f', 'v.yaml', '--set', 'tag=3', item])).toBe('quay.io/x/v:3\n');
    }
    expect(await world.must(['getimages', '--set-string=tag=4', '--set=image=a', 'ovl'])).toBe('a:4\n');
    expect(await world.must(['getimages', 'ovl'])).toBe('quay.io/x/c:1\n');
    const none = await world.images(['getimages', '--set=tag=3', 'v.yaml']);
    expect(none).toMatchObject({ status: 2, stdout: '' });
    expect(none.stderr).toMatch(/^ERROR: there is no chart to take the values \[tag=3\]\n/);
    expect((await world.images(['getimages', '--set=tag', 'ovl'])).stderr).toMatch(
      /^ERROR: not a value of a chart \[tag\]\n/,
    );
    await writeFile(join(world.path, 'list.yaml'), '[a]\n');
    expect((await world.images(['getimages', '--values=list.yaml', 'ovl'])).stderr).toMatch(
      /^ERROR: not values of a chart \[list\.yaml\]\n/,
    );
    expect((await world.images(['getimages', '--values=absent.yaml', 'ovl'])).status).toBe(1);
  });

  it('prints nothing if there are no images', async () => {
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
    const position = { file: 'one/default/etc/kubernetes/app-1.yaml', line: 8, path: 'spec.containers[0].image' };
    expect(JSON.parse(await world.must(['getimages', '--json', 'one']))).toEqual({
      images: [{ image: 'b:1', places: [{ ...position, rule: 'containers' }] }],
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
