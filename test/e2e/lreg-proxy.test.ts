// `serve --proxy` with real peers: docker-registry behind it, containerd, skopeo and podman before it.
import { mkdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { buildImage, type FixtureImage, pushImage, randomLayer } from '../fixtures/image.ts';
import { startContainerd } from '../peers/containerd.ts';
import { startDockerRegistry } from '../peers/docker-registry.ts';
import { needs } from '../peers/find.ts';
import { must, until } from '../peers/process.ts';
import { newWorld } from '../peers/program.ts';
import { startProxy } from '../peers/proxy.ts';
import { temporaryDirectory } from '../peers/temporary.ts';
import { startUpstream } from '../peers/upstream.ts';

const IMAGE = buildImage({
  layers: ['a', 'b', 'c'].map((name) => randomLayer(`proxy ${name}`, 400_000)),
});

const blobsOf = (image: FixtureImage) => image.blobs;

/** Pulls all of the image, as a node does. */
async function pull(base: string, path: string, image: FixtureImage, ns: string): Promise<void> {
  const manifest = await fetch(`${base}/v2/${path}/manifests/1?ns=${ns}`);
  expect(Buffer.from(await manifest.arrayBuffer()).equals(image.manifest.bytes)).toBe(true);
  for (const { digest, bytes } of blobsOf(image)) {
    const answer = await fetch(`${base}/v2/${path}/blobs/${digest}?ns=${ns}`);
    expect(Buffer.from(await answer.arrayBuffer()).equals(Buffer.from(bytes)), digest).toBe(true);
  }
}

describe('serve --proxy', () => {
  it('fetches each blob once for eight that pull at once, and serves it when its registry is gone', async () => {
    await using world = await newWorld();
    await using upstream = await startUpstream();
    upstream.addImage('team/app:1', IMAGE);
    await using proxy = await startProxy(world, upstream.host);
    await Promise.all(Array.from({ length: 8 }, () => pull(proxy.base, 'team/app', IMAGE, upstream.host)));
    for (const { digest } of blobsOf(IMAGE)) expect(upstream.fetches(digest), digest).toBe(1);
    expect(upstream.requests.filter((request) => /^GET .*\/manifests\//.test(request))).toHaveLength(1);
    await until(async () => (await world.must(['lreg_ls', '--json'])).includes('"fetched"'));
    upstream.behave({ refuse: { path: /./, status: 503 } });
    await proxy.restart(['--ttl=0']);
    await pull(proxy.base, 'team/app', IMAGE, upstream.host);
  });

  it('goes on where it was when the registry behind it breaks off, and when it was itself killed', async () => {
    await using world = await newWorld();
    await using upstream = await startUpstream();
    const [, layer] = blobsOf(IMAGE);
    if (!layer) throw new Error('no layer');
    upstream.addImage('team/app:1', IMAGE);
    upstream.behave({ closeAfter: 150_000 });
    await using proxy = await startProxy(world, upstream.host);
    await pull(proxy.base, 'team/app', IMAGE, upstream.host);
    for (const { digest, bytes } of blobsOf(IMAGE)) expect(upstream.sent(digest)).toBeLessThan(bytes.length * 1.8);

    const big = buildImage({ layers: [randomLayer('proxy big', 20_000_000)] });
    const [bigLayer] = big.blobs.toSorted((a, b) => b.bytes.length - a.bytes.length);
    if (!bigLayer) throw new Error('no layer');
    upstream.addImage('team/big:1', big);
    upstream.behave({ bytesPerSecond: 4_000_000 });
    const url = `${proxy.base}/v2/team/big/blobs/${bigLayer.digest}?ns=${upstream.host}`;
    await (await fetch(`${proxy.base}/v2/team/big/manifests/1?ns=${upstream.host}`)).arrayBuffer();
    const broken = fetch(url).then((answer) => answer.arrayBuffer());
    broken.catch(() => {});
    await until(async () => upstream.sent(bigLayer.digest) > 4_000_000);
    // It stalls, so that the registry is killed in the middle, however busy the machine is.
    upstream.behave({ bytesPerSecond: 10_000 });
    await proxy.restart();
    await expect(broken).rejects.toThrow();
    upstream.behave({});
    const again = await fetch(url);
    expect(Buffer.from(await again.arrayBuffer()).equals(Buffer.from(bigLayer.bytes))).toBe(true);
    const kept = 2_000_000;
    expect(upstream.sent(bigLayer.digest)).toBeLessThan(
      upstream.fetches(bigLayer.digest) * bigLayer.bytes.length - kept,
    );
    expect(upstream.fetches(bigLayer.digest)).toBe(2);
    await until(async () => (await world.must(['lreg_ls', '--json'])).includes('team/big'));
  });

  it('is what lreg_start --proxy starts, and lreg_status tells', async () => {
    await using world = await newWorld();
    await using upstream = await startUpstream();
    upstream.addImage('team/app:1', IMAGE);
    const args = ['--listen=127.0.0.1:0', `--proxy=${upstream.host}`, '--ttl=1m'];
    const [address] = JSON.parse(await world.must(['lreg_start', '--json', ...args])).addresses;
    try {
      await pull(`http://127.0.0.1:${address.port}`, 'team/app', IMAGE, upstream.host);
      const status = JSON.parse(await world.must(['lreg_status', '--json']));
      expect(status.proxy).toEqual({ hosts: [upstream.host], ttl: 60_000, offline: false });
      const other = await world.images(['lreg_start', '--offline', '--proxy']);
      expect([other.status, other.stderr]).toEqual([1, expect.stringContaining('lreg_stop')]);
    } finally {
      await world.must(['lreg_stop']);
    }
  });

  it('remembers what was missed, and lreg_preload takes it', async () => {
    await using world = await newWorld();
    await using upstream = await startUpstream();
    await using proxy = await startProxy(world, upstream.host);
    const name = `${upstream.host}/team/app:1`;
    expect((await fetch(`${proxy.base}/v2/team/app/manifests/1?ns=${upstream.host}`)).status).toBe(404);
    const none = `${upstream.host}/team/none:1`;
    await until(async () => (await world.must(['lreg_missed'])) === `${name}\n`);
    upstream.addImage('team/app:1', IMAGE);
    // One that cannot be had does not stop the others.
    const input = `${none}\n${await world.must(['lreg_missed'])}`;
    const { status, stderr } = await world.images(['lreg_preload', '-'], { input });
    expect(stderr).toContain(none);
    expect(status).toBe(1);
    await world.must(['lreg_isloaded', name]);
    await world.must(['lreg_missed', '--clear']);
    expect(await world.must(['lreg_missed'])).toBe('');
  });
});

const peers = needs('docker-registry', 'skopeo', 'podman', 'root');
it.skipIf(peers.missing)(`skopeo and podman pull through serve --proxy from docker-registry${peers.why}`, async () => {
  await using world = await newWorld();
  await using registry = await startDockerRegistry();
  await pushImage(registry.base, 'team/app:1', IMAGE);
  await using proxy = await startProxy(world, registry.host);
  await using directory = await temporaryDirectory('pulled');
  const from = `docker://${proxy.host}/up.test/team/app:1`;
  await must('skopeo', ['copy', '-q', '--src-tls-verify=false', from, `dir:${join(directory.path, 'out')}`]);
  await rename(registry.data, `${registry.data}.gone`);
  const store = ['--root', join(directory.path, 'store'), '--runroot', join(directory.path, 'run')];
  await must('podman', [
    ...store,
    '--storage-driver=vfs',
    'pull',
    '-q',
    '--tls-verify=false',
    `${proxy.host}/up.test/team/app:1`,
  ]);
});

const node = needs('containerd', 'docker-registry', 'root');
it.skipIf(node.missing)(`containerd pulls through serve --proxy with ?ns=${node.why}`, async () => {
  await using world = await newWorld();
  await using registry = await startDockerRegistry();
  await pushImage(registry.base, 'team/app:1', IMAGE);
  await using proxy = await startProxy(world, registry.host);
  await using engine = await startContainerd();
  const hosts = join(world.path, 'hosts');
  await mkdir(join(hosts, 'up.test'), { recursive: true });
  await writeFile(
    join(hosts, 'up.test/hosts.toml'),
    `server = "http://127.0.0.1:1"\n[host."${proxy.base}"]\n  capabilities = ["pull", "resolve"]\n`,
  );
  await engine.ctr(['images', 'pull', '--hosts-dir', hosts, '--snapshotter=native', 'up.test/team/app:1']);
  expect(await engine.ctr(['images', 'ls', '-q'])).toContain('up.test/team/app:1');
  // It is stored a moment after it was pulled.
  await until(async () => (await world.must(['lreg_ls', '--hosts'])).includes('up.test/team/app:'));
});
