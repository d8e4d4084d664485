// Common clients against the server, over a store on disk: each pushes and pulls, and none of its requests fails.
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildImage, buildIndex, type FixtureImage, pushImage, randomLayer } from '../../test/fixtures/image.ts';
import { startDockerd } from '../../test/peers/dockerd.ts';
import { needs } from '../../test/peers/find.ts';
import { must, start, stop, until } from '../../test/peers/process.ts';
import { type TemporaryDirectory, temporaryDirectory } from '../../test/peers/temporary.ts';
import { openEmbeddedStore } from '../storage/embedded-store.ts';
import { ask } from './testing/ask.ts';
import { startServer, type TestServer } from './testing/start.ts';

/** In bytes. More than any client sends in one request. */
const LAYER_SIZE = 5_000_000;

let scratch: TemporaryDirectory;
let server: TestServer;
let amd64: FixtureImage;
let both: FixtureImage;

beforeAll(async () => {
  scratch = await temporaryDirectory('clients');
  const store = await openEmbeddedStore(join(scratch.path, 'store'));
  server = await startServer(store.registry);
  amd64 = buildImage({ layers: [randomLayer('small', 100), randomLayer('large', LAYER_SIZE)] });
  both = buildIndex([amd64, buildImage({ layers: [randomLayer('small', 100)], architecture: 'arm64' })]);
});

afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await scratch[Symbol.asyncDispose]();
});

async function digestAt(name: string, tag: string): Promise<unknown> {
  const answer = await ask(`${server.url}/v2/${name}/manifests/${tag}`, 'HEAD');
  return answer.status === 200 ? answer.headers['docker-content-digest'] : undefined;
}

/** Runs `use`, and returns the requests made meanwhile as `METHOD URL`. Fails if one of them was a server error. */
async function requestsOf(use: () => Promise<unknown>): Promise<readonly string[]> {
  const before = server.events.length;
  await use();
  const events = server.events.slice(before);
  expect(events.filter((event) => event.type === 'failure' || event.status >= 500)).toEqual([]);
  return events.flatMap((event) => (event.type === 'request' ? [`${event.method} ${event.url}`] : []));
}

const skopeo = needs('skopeo');
describe.skipIf(skopeo.missing)(`skopeo${skopeo.why}`, () => {
  const at = (name: string) => `docker://${server.host}/${name}`;
  const copy = (...args: readonly string[]) =>
    requestsOf(() => must('skopeo', ['copy', '-q', '--src-tls-verify=false', '--dest-tls-verify=false', ...args]));

  it('copies an index with its images out and in again, unchanged', async () => {
    await pushImage(server.url, 'skopeo/in:1', both);
    const folder = `oci:${join(scratch.path, 'layout')}:1`;
    await copy('--all', at('skopeo/in:1'), folder);
    await copy('--all', '--preserve-digests', folder, at('skopeo/out:1'));
    expect(await digestAt('skopeo/out', '1')).toBe(both.manifest.digest);
    expect(await digestAt('skopeo/out', amd64.manifest.digest)).toBe(amd64.manifest.digest);
  });

  it('pushes what no repository has yet', async () => {
    const image = buildImage({ layers: [randomLayer('only here', LAYER_SIZE)] });
    await pushImage(server.url, 'skopeo/from:1', image);
    const folder = `dir:${join(scratch.path, 'dir')}`;
    await copy(at('skopeo/from:1'), folder);
    await ask(`${server.url}/v2/skopeo/from/manifests/${image.manifest.digest}`, 'DELETE');
    for (const { digest } of image.blobs) await ask(`${server.url}/v2/skopeo/from/blobs/${digest}`, 'DELETE');
    const requests = await copy(folder, at('skopeo/pushed:1'));
    expect(requests.some((request) => request.startsWith('PATCH '))).toBe(true);
    expect(await digestAt('skopeo/pushed', '1')).toBe(image.manifest.digest);
  });

  it('mounts what another repository has', async () => {
    await pushImage(server.url, 'skopeo/a:1', amd64);
    const requests = await copy(at('skopeo/a:1'), at('skopeo/b:1'));
    expect(requests.some((request) => request.startsWith('POST ') && request.includes('mount='))).toBe(true);
    // Only the config: skopeo never mounts it.
    expect(requests.filter((request) => request.startsWith('PATCH '))).toHaveLength(1);
    expect(await digestAt('skopeo/b', '1')).toBe(amd64.manifest.digest);
  });

  it('converts to the Docker types, lists tags and deletes', async () => {
    await pushImage(server.url, 'skopeo/oci:1', amd64);
    await copy('--format=v2s2', at('skopeo/oci:1'), at('skopeo/docker:v2'));
    const tags = await must('skopeo', ['list-tags', '--tls-verify=false', at('skopeo/docker')]);
    expect(JSON.parse(tags)).toMatchObject({ Tags: ['v2'] });
    await must('skopeo', ['delete', '--tls-verify=false', at('skopeo/docker:v2')]);
    expect(await digestAt('skopeo/docker', 'v2')).toBeUndefined();
  });
});

const podman = needs('podman', 'root');
it.skipIf(podman.missing)(`podman pulls and pushes, and takes its platform of an index${podman.why}`, async () => {
  const policy = join(scratch.path, 'policy.json');
  await writeFile(policy, '{"default":[{"type":"insecureAcceptAnything"}]}');
  const places = ['root', 'run'].map(
    (name) => `--${name}${name === 'run' ? 'root' : ''}=${scratch.path}/podman-${name}`,
  );
  const run = (...args: readonly string[]) => must('podman', [...places, '--storage-driver=vfs', ...args]);
  const remote = ['-q', '--tls-verify=false', `--signature-policy=${policy}`];
  await pushImage(server.url, 'podman/in:1', both);
  await requestsOf(async () => {
    await run('pull', ...remote, '--platform=linux/amd64', `${server.host}/podman/in:1`);
    await run('push', ...remote, `${server.host}/podman/in:1`, `${server.host}/podman/out:2`);
    await run('pull', ...remote, '--platform=linux/arm64', `${server.host}/podman/in:1`);
  });
  expect(await digestAt('podman/out', '2')).toMatch(/^sha256:/);
  expect(await run('image', 'inspect', '--format={{.Architecture}}', `${server.host}/podman/in:1`)).toBe('arm64\n');
});

const docker = needs('root', 'dockerd', 'docker');
it.skipIf(docker.missing)(`docker pulls and pushes${docker.why}`, { timeout: 180_000 }, async () => {
  await using engine = await startDockerd();
  const at = (name: string) => `${server.host}/${name}`;
  await pushImage(server.url, 'docker/in:1', both);
  await requestsOf(async () => {
    await engine.docker(['pull', at('docker/in:1')]);
    await engine.docker(['tag', at('docker/in:1'), at('docker/out:2')]);
    await engine.docker(['push', at('docker/out:2')]);
    await engine.docker(['rmi', at('docker/in:1'), at('docker/out:2')]);
    await engine.docker(['pull', at('docker/out:2')]);
  });
  expect(await digestAt('docker/out', '2')).toMatch(/^sha256:/);
});

const containerd = needs('root', 'containerd', 'ctr');
describe.skipIf(containerd.missing)(`containerd${containerd.why}`, () => {
  let daemon: ReturnType<typeof start>;
  const ctr = (...args: readonly string[]) => must('ctr', ['-a', join(scratch.path, 'ctr.sock'), ...args]);

  beforeAll(async () => {
    const config = [
      'version = 2',
      `root = "${scratch.path}/ctr-root"`,
      `state = "${scratch.path}/ctr-state"`,
      'disabled_plugins = ["io.containerd.grpc.v1.cri"]',
      '[grpc]',
      `address = "${scratch.path}/ctr.sock"`,
    ];
    const file = join(scratch.path, 'ctr.toml');
    await writeFile(file, config.join('\n'));
    daemon = start('containerd', ['-c', file]);
    daemon.stdout?.resume();
    daemon.stderr?.resume();
    await until(async () => (await ctr('version')) !== '');
  });

  afterAll(() => stop(daemon));

  it('pulls and pushes', async () => {
    await pushImage(server.url, 'ctr/in:1', amd64);
    await requestsOf(async () => {
      await ctr('images', 'pull', '--plain-http', '--snapshotter=native', `${server.host}/ctr/in:1`);
      await ctr('images', 'push', '--plain-http', `${server.host}/ctr/out:2`, `${server.host}/ctr/in:1`);
    });
    expect(await digestAt('ctr/out', '2')).toBe(amd64.manifest.digest);
  });

  it('finds another host mirrored here, and says which it means', async () => {
    await pushImage(server.url, 'library/mirrored:1', amd64);
    const folder = join(scratch.path, 'hosts/docker.io');
    await mkdir(folder, { recursive: true });
    const hosts = [`server = "${server.url}"`, `[host."${server.url}"]`, 'capabilities = ["pull", "resolve"]'];
    await writeFile(join(folder, 'hosts.toml'), hosts.join('\n'));
    const options = [`--hosts-dir=${scratch.path}/hosts`, '--snapshotter=native'];
    const requests = await requestsOf(() => ctr('images', 'pull', ...options, 'docker.io/library/mirrored:1'));
    expect(requests).not.toEqual([]);
    expect(requests.filter((request) => !request.includes('ns=docker.io'))).toEqual([]);
  });
});
