// docker_export of images made by buildah and umoci, compared with the trees that podman mounts and umoci unpacks.
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildImage, busyboxLayer } from '../fixtures/image.ts';
import { writeLayout } from '../fixtures/layout.ts';
import { describeTree, unpack } from '../peers/file-tree.ts';
import { needs } from '../peers/find.ts';
import { must } from '../peers/process.ts';
import { newWorld, type World } from '../peers/program.ts';

/** A shell script: every kind of file, and every kind of change to a file of a layer below. */
const FIRST = `set -e
mkdir -p d/sub opaque/old emptied && echo 1 > d/sub/file && echo old > opaque/old/x && echo gone > emptied/x && echo y > replaced
mkfifo fifo && mknod device c 1 3 && mknod block b 7 300 && ln -s ../../etc/passwd link && ln etc/passwd hard
echo x > owned && chown 3000000:70000 owned && chmod 4711 owned && touch -d '1961-04-12 06:07:00.25' ancient
touch "$(printf 'latin\\351')" "$(printf 'new\\nline')" "$(printf '%0200d' 7)" && mkdir -p "$(printf 'deep/%.0s' $(seq 60))"
truncate -s 40M sparse && echo end >> sparse && setfattr -n user.some -v thing owned`;
const SECOND = `set -e
rm -rf opaque && mkdir opaque && echo new > opaque/y && rm emptied/x d/sub/file && rm replaced && mkdir replaced && echo in > replaced/z
echo more >> hard && mv device moved && chmod 0700 d && rm fifo && echo file > fifo && rm -r deep && ln -s d deep && ln owned owned2`;

/** Removes differences of podman: it cannot unpack times before 1970, and its mount still counts the hard link to etc/passwd that the second layer removed. */
function alike(tree: readonly string[]): readonly string[] {
  return tree.map((line) => line.replace(/^(ancient f \S+ \S+) \S+/, '$1').replace(/^(etc\/passwd f .*) \d $/, '$1'));
}

const { missing, why } = needs('root', 'buildah', 'podman', 'umoci', 'getfattr', 'tar');

describe.skipIf(missing)(`images docker_export of other tools' images${why}`, () => {
  let world: World;
  let layout: string;
  beforeAll(async () => {
    world = await newWorld();
    layout = await writeLayout(join(world.path, 'layout'), { base: buildImage({ layers: [busyboxLayer()] }) });
  });
  afterAll(() => world[Symbol.asyncDispose]());

  const at = (name: string) => join(world.path, name);
  const exported = async (location: string): Promise<readonly string[]> => {
    const archive = at('export.tar');
    await world.must(['docker_export', `--output=${archive}`, location]);
    await unpack(archive, at('ours'));
    const tree = await describeTree(at('ours'));
    await must('rm', ['-rf', at('ours')]);
    return tree;
  };
  const change = (directory: string, script: string) => must('bash', ['-c', script], { cwd: directory });

  it('is what podman mounts of an image that buildah made, from its store and from its archives', async () => {
    const root = at('store');
    const storage = ['--root', root, '--runroot', at('run-store'), '--storage-driver', 'overlay'];
    const buildah = async (...args: readonly string[]) => (await must('buildah', [...storage, ...args])).trim();
    const base = at('base.tar');
    await world.must(['copy', `oci:${layout}:base`, `docker-archive:${base}:localhost/made:base`]);
    await must('podman', [...storage, 'load', '-i', base]);
    let from = 'localhost/made:base';
    for (const [name, script] of Object.entries({ first: FIRST, second: SECOND })) {
      const container = await buildah('from', from);
      await change(await buildah('mount', container), script);
      await buildah('commit', '--rm', container, `localhost/made:${name}`);
      from = `localhost/made:${name}`;
    }
    const image = 'localhost/made:second';
    const mounted = (await must('podman', [...storage, 'image', 'mount', image])).trim();
    try {
      const expected = alike(await describeTree(mounted));
      expect(expected.some((line) => line.startsWith('replaced/z f '))).toBe(true);
      expect(alike(await exported(`containers-storage:[overlay@${root}]${image}`))).toEqual(expected);
      for (const transport of ['oci-archive', 'docker-archive']) {
        const archive = at(`${transport}.tar`);
        await buildah('push', image, `${transport}:${archive}:${image}`);
        expect(alike(await exported(`${transport}:${archive}`))).toEqual(expected);
      }
    } finally {
      await must('podman', [...storage, 'image', 'umount', image]);
    }
  }, 120_000);

  it('is what umoci unpacks of an image that it made', async () => {
    for (const [number, script] of [FIRST, SECOND].entries()) {
      const bundle = at(`bundle${number}`);
      await must('umoci', ['unpack', '--image', `${layout}:${number === 0 ? 'base' : 'made'}`, bundle]);
      await change(join(bundle, 'rootfs'), script);
      await must('umoci', ['repack', '--image', `${layout}:made`, bundle]);
    }
    await must('umoci', ['unpack', '--image', `${layout}:made`, at('unpacked')]);
    expect(await exported(`oci:${layout}:made`)).toEqual(await describeTree(at('unpacked/rootfs')));
    expect(await world.must(['check', `oci:${layout}:made`])).not.toContain('WRONG');
  }, 120_000);
});
