// The clients that people use, against the server over a store on disk: each pushes to it and pulls from it. Skipped where they are not installed.
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openEmbeddedStore } from '../storage/embedded-store.ts';
import { ask } from './testing/ask.ts';
import { type Daemon, isInstalled, isRoot, type Layout, makeLayout, run, startDaemon } from './testing/peers.ts';
import { startServer, type TestServer } from './testing/start.ts';

const MINUTE = 60_000;
const ACCEPT = 'application/vnd.oci.image.manifest.v1+json';

let scratch: string;
let layout: Layout;
let server: TestServer;

beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'images-clients-'));
  layout = await makeLayout();
  const store = await openEmbeddedStore(join(scratch, 'store'));
  server = await startServer(store.registry);
}, MINUTE);

afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await layout[Symbol.asyncDispose]();
  await rm(scratch, { recursive: true, force: true });
}, MINUTE);

/** Nothing that a client did may have been a bug of ours. */
function expectNoFailures(): void {
  expect(server.events.filter((event) => event.type === 'failure' || event.status >= 500)).toEqual([]);
}

async function digestAt(name: string, tag: string): Promise<string | undefined> {
  const answer = await ask(`${server.url}/v2/${name}/manifests/${tag}`, 'HEAD', { headers: { Accept: ACCEPT } });
  return answer.status === 200 ? String(answer.headers['docker-content-digest']) : undefined;
}

/** Puts the two images there without any client, so that each client's pull stands alone. */
async function seed(name: string): Promise<void> {
  const read = (digest: string) => readFile(join(layout.directory, 'blobs/sha256', digest.replace('sha256:', '')));
  const root = JSON.parse((await read(layout.index.digest)).toString()) as { manifests: { digest: string }[] };
  for (const { digest } of root.manifests) {
    const bytes = await read(digest);
    const manifest = JSON.parse(bytes.toString()) as { config: { digest: string }; layers: { digest: string }[] };
    for (const part of [manifest.config, ...manifest.layers]) {
      const url = `${server.url}/v2/${name}/blobs/uploads/?digest=${part.digest}`;
      expect((await ask(url, 'POST', { body: await read(part.digest) })).status).toBe(201);
    }
    expect((await ask(`${server.url}/v2/${name}/manifests/${digest}`, 'PUT', { body: bytes })).status).toBe(201);
  }
  const [first] = root.manifests;
  await ask(`${server.url}/v2/${name}/manifests/v1`, 'PUT', { body: await read(first?.digest ?? '') });
  await ask(`${server.url}/v2/${name}/manifests/all`, 'PUT', { body: await read(layout.index.digest) });
}

describe.skipIf(!isInstalled('skopeo', 'tar'))(
  'skopeo (skipped where it is not installed)',
  { timeout: MINUTE },
  () => {
    const remote = (name: string) => `docker://${server.host}/${name}`;

    it('copies an image in and out again', async () => {
      await run('skopeo', 'copy', '--dest-tls-verify=false', `oci:${layout.directory}:v1`, remote('skopeo/one:v1'));
      expect(await digestAt('skopeo/one', 'v1')).toBe(layout.manifest.digest);
      const out = join(scratch, 'skopeo-out');
      await run('skopeo', 'copy', '--src-tls-verify=false', remote('skopeo/one:v1'), `dir:${out}`);
      const original = await readFile(join(layout.directory, 'blobs/sha256', layout.manifest.digest.slice(7)));
      expect(await readFile(join(out, 'manifest.json'))).toEqual(original);
      expectNoFailures();
    });

    it('copies an index with all its images, and one image of it by platform', async () => {
      await run(
        'skopeo',
        'copy',
        '--all',
        '--dest-tls-verify=false',
        `oci:${layout.directory}:all`,
        remote('skopeo/all:v1'),
      );
      expect(await digestAt('skopeo/all', 'v1')).toBe(layout.index.digest);
      const platform = ['--override-os=linux', '--override-arch=arm64'];
      const config = await run(
        'skopeo',
        ...platform,
        'inspect',
        '--config',
        '--tls-verify=false',
        remote('skopeo/all:v1'),
      );
      expect(JSON.parse(config)).toMatchObject({ architecture: 'arm64' });
    });

    it('mounts what another repository has', async () => {
      await run('skopeo', 'copy', '--dest-tls-verify=false', `oci:${layout.directory}:v1`, remote('skopeo/from:v1'));
      const before = server.events.length;
      await run(
        'skopeo',
        'copy',
        '--src-tls-verify=false',
        '--dest-tls-verify=false',
        remote('skopeo/from:v1'),
        remote('skopeo/to:v1'),
      );
      const urls = server.events.slice(before).flatMap((event) => (event.type === 'request' ? [event.url] : []));
      expect(urls.some((url) => url.includes('mount='))).toBe(true);
      expect(await digestAt('skopeo/to', 'v1')).toBe(layout.manifest.digest);
    });

    it('converts to the Docker types, lists tags and deletes', async () => {
      const copy = ['copy', '--format=v2s2', '--dest-tls-verify=false'];
      await run('skopeo', ...copy, `oci:${layout.directory}:v1`, remote('skopeo/docker:v2s2'));
      expect(JSON.parse(await run('skopeo', 'list-tags', '--tls-verify=false', remote('skopeo/docker')))).toMatchObject(
        { Tags: ['v2s2'] },
      );
      await run('skopeo', 'delete', '--tls-verify=false', remote('skopeo/docker:v2s2'));
      expect(await digestAt('skopeo/docker', 'v2s2')).toBeUndefined();
      expectNoFailures();
    });
  },
);

describe.skipIf(!isInstalled('podman') || !isRoot)(
  'podman (skipped where it is not installed or we are not root)',
  { timeout: MINUTE },
  () => {
    const podman = (...args: readonly string[]) => {
      const store = join(scratch, 'podman');
      return run('podman', `--root=${store}/root`, `--runroot=${store}/run`, '--storage-driver=vfs', ...args);
    };

    it('pulls and pushes', async () => {
      await seed('podman/in');
      await podman('pull', '--tls-verify=false', `${server.host}/podman/in:v1`);
      await podman('push', '--tls-verify=false', `${server.host}/podman/in:v1`, `${server.host}/podman/out:v2`);
      expect(await digestAt('podman/out', 'v2')).toMatch(/^sha256:/);
      await podman('pull', '--tls-verify=false', '--platform=linux/arm64', `${server.host}/podman/in:all`);
      const inspected = await podman('image', 'inspect', '--format={{.Architecture}}', `${server.host}/podman/in:all`);
      expect(inspected.trim()).toBe('arm64');
      expectNoFailures();
    });
  },
);

describe.skipIf(!isInstalled('dockerd', 'docker') || !isRoot)(
  'dockerd (skipped where it is not installed or we are not root)',
  { timeout: 3 * MINUTE },
  () => {
    let daemon: Daemon;
    const docker = (...args: readonly string[]) =>
      run('docker', '-H', `unix://${join(scratch, 'docker.sock')}`, ...args);

    beforeAll(async () => {
      const at = (name: string) => join(scratch, name);
      const places = [
        `--data-root=${at('docker')}`,
        `--exec-root=${at('docker-exec')}`,
        `--pidfile=${at('docker.pid')}`,
      ];
      const options = ['--iptables=false', '--bridge=none', `--host=unix://${at('docker.sock')}`];
      daemon = await startDaemon(['dockerd', ...places, ...options], () => docker('version'));
    }, 3 * MINUTE);

    afterAll(() => daemon[Symbol.asyncDispose](), MINUTE);

    it('pulls and pushes', async () => {
      await seed('docker/in');
      const name = (path: string) => `${server.host}/${path}`;
      await docker('pull', name('docker/in:v1'));
      await docker('tag', name('docker/in:v1'), name('docker/out:v2'));
      await docker('push', name('docker/out:v2'));
      expect(await digestAt('docker/out', 'v2')).toMatch(/^sha256:/);
      await docker('rmi', name('docker/in:v1'), name('docker/out:v2'));
      await docker('pull', name('docker/out:v2'));
      await docker('pull', name('docker/in:all'));
      expectNoFailures();
    });
  },
);

describe.skipIf(!isInstalled('containerd', 'ctr') || !isRoot)(
  'containerd (skipped where it is not installed or we are not root)',
  { timeout: 2 * MINUTE },
  () => {
    let daemon: Daemon;
    const ctr = (...args: readonly string[]) => run('ctr', '-a', join(scratch, 'containerd.sock'), ...args);

    beforeAll(async () => {
      const config = [
        'version = 2',
        `root = "${join(scratch, 'containerd')}"`,
        `state = "${join(scratch, 'containerd-state')}"`,
        'disabled_plugins = ["io.containerd.grpc.v1.cri"]',
        '[grpc]',
        `address = "${join(scratch, 'containerd.sock')}"`,
      ];
      const file = join(scratch, 'containerd.toml');
      await writeFile(file, config.join('\n'));
      daemon = await startDaemon(['containerd', '-c', file], () => ctr('version'));
    }, MINUTE);

    afterAll(() => daemon[Symbol.asyncDispose](), MINUTE);

    it('pulls and pushes', async () => {
      await seed('ctr/in');
      await ctr('images', 'pull', '--plain-http', '--snapshotter=native', `${server.host}/ctr/in:v1`);
      await ctr('images', 'push', '--plain-http', `${server.host}/ctr/out:v2`, `${server.host}/ctr/in:v1`);
      expect(await digestAt('ctr/out', 'v2')).toBe(layout.manifest.digest);
      expectNoFailures();
    });

    it('finds another host mirrored here, and says which', async () => {
      await seed('library/mirrored');
      const folder = join(scratch, 'hosts/docker.io');
      await mkdir(folder, { recursive: true });
      const hosts = [`server = "${server.url}"`, `[host."${server.url}"]`, 'capabilities = ["pull", "resolve"]'];
      await writeFile(join(folder, 'hosts.toml'), hosts.join('\n'));
      const before = server.events.length;
      const options = [`--hosts-dir=${join(scratch, 'hosts')}`, '--snapshotter=native'];
      await ctr('images', 'pull', ...options, 'docker.io/library/mirrored:v1');
      const urls = server.events.slice(before).flatMap((event) => (event.type === 'request' ? [event.url] : []));
      expect(urls.filter((url) => url.includes('/manifests/') || url.includes('/blobs/'))).not.toEqual([]);
      expect(urls.filter((url) => !url.includes('ns=docker.io'))).toEqual([]);
      expectNoFailures();
    });
  },
);
