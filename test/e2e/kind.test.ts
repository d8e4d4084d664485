// Nodes of kind: containers of podman with containerd and kind's labels. `images load --kind` gives them what `kind load` gives them, and with the configuration that
// `images node_config --runtime=kind` writes they pull from the private registry. (kind's own image of nodes, with kubelet, is not in it.)
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { load } from 'js-yaml';
import { parse, stringify, type TomlTable } from 'smol-toml';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildImage, buildIndex, busyboxLayer, layerOf, pushImage, randomLayer } from '../fixtures/image.ts';
import { criPull } from '../peers/cri.ts';
import { because } from '../peers/find.ts';
import { fetchNewer, newerPrograms } from '../peers/newer.ts';
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
const kindDirectory = process.env.IMAGES_SOAK && !peers.missing ? await fetchNewer('kind') : newerPrograms('kind');
const kind = because([kindDirectory === undefined ? 'no kind here: `npm run soak kind` brings it' : undefined]);
const ONE = 'docker.io/library/one:1';
const TWO = 'quay.io/tools/two:1';
const NODES = { control: 'kind-control-plane', worker: 'kind-worker' };

/** What a node of kind has, as far as it matters here. */
const NODE_CONFIG = `version = 2
[plugins."io.containerd.grpc.v1.cri".containerd]
  snapshotter = "overlayfs"
  default_runtime_name = "runc"
`;

interface KindCluster {
  readonly containerdConfigPatches: readonly string[];
  readonly nodes: readonly {
    readonly extraMounts: readonly { readonly hostPath: string; readonly containerPath: string }[];
  }[];
}

describe.skipIf(peers.missing)(`nodes of kind${peers.why}`, () => {
  let world: World;
  let host: ContainerHost;
  let nodes: readonly NodeContainer[];
  const own = () => ({ PATH: `${kindDirectory}:${host.PATH}`, KIND_EXPERIMENTAL_PROVIDER: 'podman' });

  beforeAll(async () => {
    world = await newWorld();
    const registry = await world.startRegistry();
    const system = busyboxLayer();
    const image = (text: string, architecture = ARCHITECTURE) =>
      buildImage({ architecture, layers: [system, layerOf([{ name: text, data: text }])], cmd: ['/bin/ls', '/'] });
    await pushImage(registry.base, 'library/one:1', buildIndex([image('one'), image('other', OTHER)]));
    await pushImage(registry.base, 'tools/two:1', image('two'));
    for (const name of ['registry.k8s.io/pause:3.9', 'unlisted.example/app:1'])
      await pushImage(registry.base, name, buildImage({ layers: [randomLayer(name, 1000)] }));
    await world.must(['node_config', '--runtime=kind', `--registry=${registry.host}`, `--output=${world.path}`]);
    host = await containerHost(join(world.path, 'podman'));
    const { containerdConfigPatches, nodes: configured } = load(
      await readFile(join(world.path, 'kind/cluster.yaml'), 'utf8'),
    ) as KindCluster;
    const mounts = Object.fromEntries(
      (configured[0]?.extraMounts ?? []).map(({ hostPath, containerPath }) => [
        containerPath,
        join(world.path, hostPath),
      ]),
    );
    const config = containerdConfigPatches.map((patch) => parse(patch)).reduce(merged, parse(NODE_CONFIG));
    nodes = await Promise.all(
      Object.entries(NODES).map(([role, name]) =>
        host.startNode({
          name,
          labels: ['io.x-k8s.kind.cluster=kind', `io.x-k8s.kind.role=${role === 'control' ? 'control-plane' : role}`],
          files: { 'etc/containerd/config.toml': stringify(config) },
          mounts,
        }),
      ),
    );
    for (const node of nodes) await untilContainerd(node);
  });
  afterAll(async () => {
    await host[Symbol.asyncDispose]();
    await world[Symbol.asyncDispose]();
  });

  /** NAME DIGEST, of all images; without names that are digests of configs. */
  async function listed(node: NodeContainer): Promise<readonly string[]> {
    const lines = (await node.exec('ctr', '-n', 'k8s.io', 'images', 'ls')).split('\n').slice(1);
    return lines.flatMap((line) => {
      const [name = '', , digest] = line.split(/\s+/);
      return name === '' || name.startsWith('sha256:') ? [] : [`${name} ${digest}`];
    });
  }

  it('get images by load, each for its platform, which the containers of the cluster then have', async () => {
    const loaded = await world.must(['load', '--json', ONE, TWO], { env: own() });
    const got = { platform: `linux/${ARCHITECTURE}`, loaded: [ONE, TWO], alreadyThere: [] };
    expect(JSON.parse(loaded)).toEqual({ ok: true, nodes: Object.values(NODES).map((node) => ({ node, ...got })) });
    for (const node of nodes) {
      expect((await listed(node)).map((line) => line.split(' ')[0])).toEqual(expect.arrayContaining([ONE, TWO]));
      expect(await node.exec('ctr', '-n', 'k8s.io', 'images', 'check')).toMatch(
        new RegExp(`${ONE}\\s.* complete \\(\\d/\\d\\) .* true`),
      );
    }
    const ran = await nodes[0]?.exec('ctr', '-n', 'k8s.io', 'run', '--rm', '--net-host', ONE, `kind-${process.pid}`);
    expect(ran?.split('\n')).toContain('one');
    const again = await world.images(['load', ONE, TWO], { env: own() });
    expect(again.stderr).toContain('kind-worker: 0 images loaded, 2 there before');
  });

  it.skipIf(kind.missing)(`have the same names and digests as kind load gives them${kind.why}`, async () => {
    await world.must(['load', ONE, TWO], { env: own() });
    const ours = await Promise.all(nodes.map(listed));
    for (const node of nodes) {
      const names = (await listed(node)).map((line) => line.split(' ')[0] ?? '');
      await node.exec('ctr', '-n', 'k8s.io', 'images', 'rm', '--sync', ...names);
    }
    // Each image for one platform, which kind needs.
    const archive = join(world.path, 'images.tar');
    await world.must(['make', '--format=k3s', `--tar=${archive}.zst`, ONE, TWO]);
    await must('zstd', ['-qd', `${archive}.zst`, '-o', archive]);
    await must('kind', ['load', 'image-archive', archive, '--name=kind'], { env: own() });
    expect(await Promise.all(nodes.map(listed))).toEqual(ours);
  });

  it('pull from the private registry under the names of its hosts, with what node_config has written', async () => {
    const [node] = nodes;
    if (!node) throw new Error('no node');
    for (const name of [ONE, TWO, 'registry.k8s.io/pause:3.9', 'unlisted.example/app:1'])
      await until(async () => (await criPull(node.socket, name)).startsWith('sha256:'));
  });
});

const ARCHITECTURE = process.arch === 'arm64' ? 'arm64' : 'amd64';
const OTHER = ARCHITECTURE === 'arm64' ? 'amd64' : 'arm64';

/** As a JSON merge patch. */
function merged(into: TomlTable, patch: TomlTable): TomlTable {
  const result = { ...into };
  for (const [key, value] of Object.entries(patch)) {
    const before = result[key];
    result[key] = isTable(before) && isTable(value) ? merged(before, value) : value;
  }
  return result;
}

function isTable(value: unknown): value is TomlTable {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Date);
}
