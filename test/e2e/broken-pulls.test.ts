// A registry that is killed while nodes pull from it, and an upstream that is: containerd (by ctr and by CRI) and podman get their image, as kubelet and people do who
// ask again, and what has come once is not fetched again.
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildImage, type FixtureImage, randomLayer } from '../fixtures/image.ts';
import { type ContainerdPeer, startContainerd } from '../peers/containerd.ts';
import { needs } from '../peers/find.ts';
import { inOwnEtc } from '../peers/own-etc.ts';
import { must } from '../peers/process.ts';
import { newWorld, type World } from '../peers/program.ts';
import { type RunningProxy, startProxy } from '../peers/proxy.ts';
import { startUpstream, type Upstream } from '../peers/upstream.ts';
import { eventually } from '../testing/eventually.ts';

const peers = needs('root', 'containerd', 'ctr', 'podman', 'unshare');
const SIZE = 8_000_000;
/** What is there when something ends, and what of it counts: the last part may be fetched again. */
const PART = { stored: 2_000_000, kept: 1_000_000 };

describe.skipIf(peers.missing)(`in the middle of a pull${peers.why}`, () => {
  let world: World;
  let upstream: Upstream;
  let proxy: RunningProxy;
  let containerd: ContainerdPeer;
  const at = (name: string) => join(world.path, name);

  beforeAll(async () => {
    world = await newWorld();
    upstream = await startUpstream();
    proxy = await startProxy(world, upstream.host);
    await world.must(['node_config', `--registry=${proxy.host}`, '--host=up.test', `--output=${at('node')}`]);
    await writeFile(at('node/etc/containers/policy.json'), '{"default":[{"type":"insecureAcceptAnything"}]}');
    const cri = `[plugins."io.containerd.grpc.v1.cri".registry]\nconfig_path = "${at('node/etc/containerd/certs.d')}"\n`;
    containerd = await startContainerd({ cri });
  });
  afterAll(async () => {
    for (const each of [containerd, proxy, upstream, world]) await each[Symbol.asyncDispose]();
  });

  /** Of the registry: blobs, and parts of them. */
  async function largeFiles(): Promise<number> {
    return (await must('find', [world.data, '-type', 'f', '-size', `+${PART.stored / 1000}k`])).split('\n').length;
  }

  /** Of a node. */
  const PULLS: Readonly<Record<string, (name: string) => Promise<unknown>>> = {
    ctr: (name) =>
      containerd.ctr([
        'images',
        'pull',
        '--snapshotter=native',
        '--hosts-dir',
        at('node/etc/containerd/certs.d'),
        name,
      ]),
    CRI: (name) => containerd.criPull(name),
    podman: async (name) => {
      const store = ['--root', at('podman'), '--runroot', at('podman-run'), '--storage-driver=vfs'];
      await mkdir(at('podman'), { recursive: true });
      const result = await inOwnEtc(at('node'), ['etc/containers'], ['podman', ...store, 'pull', '-q', name], {
        env: { HOME: world.path },
      });
      if (result.status !== 0) throw new Error(result.stderr);
    },
  };
  const ENDS: Readonly<Record<string, () => Promise<void>>> = {
    'the registry is killed and started again': () => proxy.restart(),
    'its upstream ends and begins again': async () => {
      await upstream.end();
      await upstream.begin();
    },
  };
  const CASES = Object.keys(ENDS).flatMap((what) => Object.keys(PULLS).map((who) => [what, who] as const));

  it.each(CASES)('%s: %s has the image in the end', async (what, who) => {
    const path = `${who}-${Object.keys(ENDS).indexOf(what)}`.toLowerCase();
    const image = buildImage({ layers: [randomLayer(`${what} ${who}`, SIZE)] });
    const { digest } = layerOf(image);
    upstream.addImage(`team/${path}:1`, image);
    upstream.behave({ bytesPerSecond: 4_000_000 });
    const pull = PULLS[who] as (name: string) => Promise<unknown>;
    const name = `up.test/team/${path}:1`;
    const whole = await largeFiles();
    const first = pull(name).then(
      () => true,
      () => false,
    );
    await eventually(() => upstream.sent(digest) > PART.stored * 1.5);
    // It stalls, so that something ends in the middle, however busy the machine is.
    upstream.behave({ bytesPerSecond: 10_000 });
    await eventually(async () => (await largeFiles()) > whole);
    await ENDS[what]?.();
    const sent = upstream.sent(digest);
    upstream.behave({});
    // Most clients go on by themselves; at the latest it is there when they ask once more.
    if (!(await first)) await pull(name);
    expect(upstream.fetches(digest)).toBeGreaterThan(1);
    expect(upstream.sent(digest)).toBeLessThan(SIZE + sent - PART.kept);
  });
});

function layerOf({ blobs }: FixtureImage): FixtureImage['blobs'][number] {
  const [largest] = blobs.toSorted((a, b) => b.bytes.length - a.bytes.length);
  if (!largest) throw new Error('no layer');
  return largest;
}
