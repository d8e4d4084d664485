// `images load` with real containerds: a stand-in for docker runs what is for a node with the `ctr` of that node's private containerd. Needs root, as containerd does.
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { buildImage, buildIndex, busyboxLayer, layerOf, pushImage } from '../fixtures/image.ts';
import { type ContainerdPeer, startContainerd, TESTED_CONTAINERD } from '../peers/containerd.ts';
import { needs } from '../peers/find.ts';
import { newWorld, type World } from '../peers/program.ts';

const peers = needs('root', 'containerd', 'ctr', 'runc', 'busybox');
const MINUTE = 60_000;
const ONE = 'docker.io/library/one:1';
const TWO = 'quay.io/tools/two:1';

/** A `docker` whose containers have these containerds; `broken` is one in which nothing runs. */
async function standIn(world: World, nodes: Readonly<Record<string, ContainerdPeer>>): Promise<string> {
  const bin = join(world.path, 'bin');
  await mkdir(bin);
  const script = async (path: string, body: string) => {
    await writeFile(path, `#!/bin/sh\n${body}\n`);
    await chmod(path, 0o755);
  };
  for (const [name, { address }] of Object.entries(nodes)) {
    await mkdir(join(bin, name));
    await script(join(bin, name, 'ctr'), `exec ${TESTED_CONTAINERD ?? '/usr/bin'}/ctr --address=${address} "$@"`);
  }
  await script(
    join(bin, 'docker'),
    `case "$1 $4" in
"ps label=io.x-k8s.kind.cluster=kind") printf '${Object.keys(nodes).join('\\n')}\\nbroken\\n' ;;
"exec broken") echo 'container broken is not running' >&2; exit 1 ;;
exec*) node=$4; shift 4; PATH=${bin}/$node:$PATH exec "$@" ;;
esac`,
  );
  return `${bin}:${process.env.PATH}`;
}

it.skipIf(peers.missing)(
  `load gives each node of kind the images that it lacks, for its platform, and they run${peers.why}`,
  async () => {
    await using world = await newWorld();
    const { base } = await world.startRegistry();
    const image = (text: string, architecture: string) =>
      buildImage({
        architecture,
        layers: [busyboxLayer(), layerOf([{ name: text, data: text }])],
        cmd: ['/bin/ls', '/'],
      });
    const here = process.arch === 'arm64' ? 'arm64' : 'amd64';
    const other = here === 'arm64' ? 'amd64' : 'arm64';
    const one = image('one', here);
    // Only the image for this machine is used of it: the other is not to be in the archive (kind#3795).
    await pushImage(base, 'library/one:1', buildIndex([one, image('another', other)]));
    await pushImage(base, 'tools/two:1', image('two', here));
    await using first = await startContainerd();
    await using second = await startContainerd();
    const PATH = await standIn(world, { 'kind-control-plane': first, 'kind-worker': second });
    const k8s = (peer: ContainerdPeer, ...args: string[]) => peer.ctr(['-n', 'k8s.io', ...args]);

    const loaded = await world.images(['load', '--json', ONE], { env: { PATH } });
    expect(loaded.stderr).toContain('FAILED broken: ctr failed: container broken is not running');
    expect(loaded.status).toBe(1);
    const platform = `linux/${here}`;
    const got = { platform, loaded: [ONE], alreadyThere: [] };
    expect(JSON.parse(loaded.stdout)).toEqual({
      ok: false,
      nodes: [
        { node: 'broken', loaded: [], alreadyThere: [], error: expect.objectContaining({ code: 'UNREACHABLE' }) },
        { node: 'kind-control-plane', ...got },
        { node: 'kind-worker', ...got },
      ],
    });
    for (const peer of [first, second]) {
      expect((await k8s(peer, 'images', 'ls', '-q')).split('\n')).toContain(ONE);
      expect(await k8s(peer, 'images', 'check')).toMatch(new RegExp(`${ONE}\\s.* complete \\(\\d/\\d\\) .* true`));
    }
    expect((await k8s(first, 'run', '--rm', '--net-host', ONE, `load-${process.pid}`)).split('\n')).toContain('one');

    // The second time only what is lacking: on one of them, that is everything.
    await k8s(second, 'images', 'rm', ONE);
    const again = await world.images(['load', '--json', ONE, TWO], { env: { PATH } });
    expect(JSON.parse(again.stdout).nodes.slice(1)).toEqual([
      { node: 'kind-control-plane', platform, loaded: [TWO], alreadyThere: [ONE] },
      { node: 'kind-worker', platform, loaded: [ONE, TWO], alreadyThere: [] },
    ]);
    const last = await world.images(['load', ONE, TWO], { env: { PATH } });
    expect(last.stderr).toContain('kind-worker: 0 images loaded, 2 there before');
  },
  MINUTE,
);
