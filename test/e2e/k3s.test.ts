// containerd at k3s' paths, in a container of podman: its directory of images is imported, `images load --k3s` finds it, and it pulls with what k3s makes of the
// registries.yaml that `images node_config` writes. k3s itself is not in it: what it does is done here as its sources have it (pkg/agent/containerd, v1.30 and later).
import { chmod, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { load } from 'js-yaml';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildImage, buildIndex, busyboxLayer, layerOf, pushImage, randomLayer } from '../fixtures/image.ts';
import { criImage, criPull } from '../peers/cri.ts';
import {
  type ContainerHost,
  containerHost,
  containerNeeds,
  type NodeContainer,
  untilContainerd,
} from '../peers/node-container.ts';
import { must, until } from '../peers/process.ts';
import { newWorld, type World } from '../peers/program.ts';

const peers = containerNeeds('busybox', 'zstd');
const ONE = 'docker.io/library/one:1';
const TWO = 'quay.io/tools/two:1';
const OTHERS = ['registry.k8s.io/pause:3.9', 'unlisted.example/app:1'];

const DATA = 'var/lib/rancher/k3s';
const AGENT = `${DATA}/agent`;
const CERTS_D = `${AGENT}/etc/containerd/certs.d`;
const SOCKET = '/run/k3s/containerd/containerd.sock';
const CONFIG = `version = 2
[plugins."io.containerd.grpc.v1.cri".containerd]
  snapshotter = "overlayfs"
[plugins."io.containerd.grpc.v1.cri".registry]
  config_path = "/${CERTS_D}"
`;

interface Registries {
  readonly mirrors: Readonly<Record<string, { readonly endpoint: readonly string[] }>>;
}

/** By its path. An endpoint gets `/v2`, `"*"` is `_default`, and the host itself comes last. */
function hostsFiles(text: string): Readonly<Record<string, string>> {
  const { mirrors } = load(text) as Registries;
  return Object.fromEntries(
    Object.entries(mirrors).map(([host, { endpoint }]) => {
      const itself = host === 'docker.io' ? 'registry-1.docker.io' : host;
      const server =
        host === '*' ? '' : `server = "https://${itself}/v2"\ncapabilities = ["pull", "resolve", "push"]\n`;
      const hosts = endpoint.map((at) => `[host."${at}/v2"]\n  capabilities = ["pull", "resolve"]\n`);
      return [`${CERTS_D}/${host === '*' ? '_default' : host}/hosts.toml`, `${server}\n[host]\n${hosts.join('')}`];
    }),
  );
}

describe.skipIf(peers.missing)(`k3s${peers.why}`, () => {
  let world: World;
  let host: ContainerHost;
  let node: NodeContainer;
  const ctr = (...args: readonly string[]) => node.exec('ctr', `--address=${SOCKET}`, '--namespace=k8s.io', ...args);
  const socket = () => join(node.root, SOCKET);
  const names = async () => (await ctr('images', 'ls', '-q')).split('\n').filter((name) => !/^$|^sha256:|@/.test(name));

  beforeAll(async () => {
    world = await newWorld();
    const { base, host: registry } = await world.startRegistry();
    const [here, other] = process.arch === 'arm64' ? ['arm64', 'amd64'] : ['amd64', 'arm64'];
    const image = (text: string, architecture: string) =>
      buildImage({
        architecture,
        layers: [busyboxLayer(), layerOf([{ name: text, data: text }])],
        cmd: ['/bin/ls', '/'],
      });
    await pushImage(base, 'library/one:1', buildIndex([image('one', here), image('other', other)]));
    await pushImage(base, 'tools/two:1', image('two', here));
    for (const name of OTHERS) await pushImage(base, name, buildImage({ layers: [randomLayer(name, 1000)] }));
    const output = join(world.path, 'node');
    await world.must(['node_config', '--runtime=k3s', `--registry=${registry}`, `--output=${output}`]);
    const registries = await readFile(join(output, 'etc/rancher/k3s/registries.yaml'), 'utf8');
    host = await containerHost(join(world.path, 'podman'));
    node = await host.startNode({
      name: 'k3s',
      files: { [`${AGENT}/etc/containerd/config.toml`]: CONFIG, ...hostsFiles(registries) },
      command: [
        ...['containerd', '-c', `/${AGENT}/etc/containerd/config.toml`, '-a', SOCKET],
        ...['--state', '/run/k3s/containerd', '--root', `/${AGENT}/containerd`],
      ],
    });
    await untilContainerd(node, SOCKET);
  });
  afterAll(async () => {
    await host[Symbol.asyncDispose]();
    await world[Symbol.asyncDispose]();
  });

  /** All files of the directory, in the order of their names; nothing is unpacked before it is run. */
  async function importImages(): Promise<void> {
    const images = join(node.root, AGENT, 'images');
    for (const name of (await readdir(images)).toSorted()) {
      const tar = join(node.root, 'tmp/image.tar');
      await must('zstd', ['-qdf', join(images, name), '-o', tar]);
      await ctr('images', 'import', '--all-platforms', '--no-unpack', '/tmp/image.tar');
    }
  }

  it('imports the archive that make writes for its directory of images, and CRI knows them', async () => {
    await mkdir(join(node.root, AGENT, 'images'), { recursive: true });
    const archive = join(node.root, AGENT, 'images/made.tar.zst');
    await world.must(['make', '--format=k3s', `--tar=${archive}`, ONE, TWO]);
    await importImages();
    expect(await names()).toEqual([ONE, TWO]);
    for (const name of [ONE, TWO]) await until(async () => (await criImage(socket(), name))?.tags[0] === name);
  });

  it('imports the archives that load puts there when it does not run, the newer one of each name', async () => {
    await ctr('images', 'rm', '--sync', ...(await names()));
    const directory = join(node.root, DATA);
    for (const _ of ['first', 'second']) await world.must(['load', `--k3s=${directory}`, ONE, TWO]);
    expect((await readdir(join(node.root, AGENT, 'images'))).toSorted()).toEqual([
      'docker.io+library+one:1.tar.zst',
      'made.tar.zst',
      'quay.io+tools+two:1.tar.zst',
    ]);
    await importImages();
    expect(await names()).toEqual([ONE, TWO]);
  });

  it('gets images from load while it runs', async () => {
    const k3s = join(world.path, 'podman/bin/k3s');
    await writeFile(k3s, `#!/bin/sh\nshift\nexec podman exec -i k3s ctr --address=${SOCKET} "$@"\n`);
    await chmod(k3s, 0o755);
    for (const name of await names()) await ctr('images', 'rm', '--sync', name);
    const loaded = JSON.parse(await world.must(['load', '--k3s', '--json', ONE, TWO], { env: { PATH: host.PATH } }));
    expect(loaded).toMatchObject({ ok: true, nodes: [{ node: 'k3s', loaded: [ONE, TWO] }] });
    expect(await names()).toEqual([ONE, TWO]);
  });

  it('pulls from the private registry under the names of all hosts, with what it makes of registries.yaml', async () => {
    for (const name of [ONE, TWO, ...OTHERS])
      await until(async () => (await criPull(socket(), name)).startsWith('sha256:'));
  });
});
