// `images node_config`: the runtimes themselves read what it writes, and pull from the private registry under the names of its hosts.
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildImage, type FixtureImage, randomLayer } from '../fixtures/image.ts';
import { startContainerd } from '../peers/containerd.ts';
import { startDockerd } from '../peers/dockerd.ts';
import { needs } from '../peers/find.ts';
import { inOwnEtc } from '../peers/own-etc.ts';
import { newWorld, type RunningRegistry, type World } from '../peers/program.ts';
import { startUpstream } from '../peers/upstream.ts';

const skopeo = needs('root', 'unshare', 'skopeo');
const containerd = needs('root', 'containerd', 'ctr');
const dockerd = needs('root', 'dockerd');

/** Two hosts with the same path are two images. */
const NAMES = [
  'docker.io/library/hello:1',
  'docker.io/tools/hello:1',
  'quay.io/tools/hello:1',
  'registry.k8s.io/pause:3.9',
  'registry.example.org/tools/hello:1',
];

describe('images node_config', () => {
  let world: World;
  let registry: RunningRegistry;
  let node: string;
  const images = new Map<string, FixtureImage>();
  const digest = (name: string) => images.get(name)?.manifest.digest;

  beforeAll(async () => {
    world = await newWorld();
    registry = await world.startRegistry();
    await using upstream = await startUpstream();
    const hosts = NAMES.map((name) => name.split('/')[0] ?? '');
    await world.mirror(Object.fromEntries(hosts.map((host) => [host, `${upstream.host}/${host}`])));
    for (const name of NAMES) {
      const image = buildImage({ layers: [randomLayer(name, 1000)] });
      images.set(name, image);
      upstream.addImage(name, image);
    }
    await world.must(['lreg_cache', ...NAMES]);
    node = join(world.path, 'node');
    await world.must(['node_config', `--registry=${registry.host}`, `--output=${node}`]);
    await writeFile(join(node, 'etc/containers/policy.json'), '{"default":[{"type":"insecureAcceptAnything"}]}');
  });
  afterAll(async () => {
    await world[Symbol.asyncDispose]();
  });

  it('prints the files, and writes the same as a tar or below a directory', async () => {
    const shown = await world.must(['node_config', `--registry=${registry.host}`, '--runtime=k3s']);
    const text = await readFile(join(node, 'etc/rancher/k3s/registries.yaml'), 'utf8');
    expect(shown).toBe(`=== /etc/rancher/k3s/registries.yaml\n${text}\n`);
    const tar = join(world.path, 'node.tar');
    await world.must(['node_config', `--registry=${registry.host}`, `--output=${tar}`, '--format=boot']);
    expect((await world.images(['node_config', '--output=x'])).stderr).toMatch(/^ERROR: .*\n.*lreg_start/);
  });

  it.skipIf(skopeo.missing)(`skopeo finds each image at the registry, by its host${skopeo.why}`, async () => {
    for (const name of NAMES.slice(0, 4)) {
      const inspect = ['skopeo', 'inspect', '--no-tags', '--format={{.Digest}}', `docker://${name}`];
      const { stdout, stderr } = await inOwnEtc(node, ['etc/containers'], inspect, { env: { HOME: world.path } });
      expect(stdout.trim(), `${name}: ${stderr}`).toBe(digest(name));
    }
  });

  it.skipIf(containerd.missing)(
    `containerd pulls them, by ctr and by CRI, also of unlisted hosts${containerd.why}`,
    async () => {
      const certs = join(node, 'etc/containerd/certs.d');
      const config = (await readFile(join(node, 'etc/containerd/config.toml'), 'utf8')).replace('version = 2', '');
      await using peer = await startContainerd({ cri: config.replaceAll('/etc/containerd/certs.d', certs) });
      for (const name of NAMES) {
        await peer.ctr(['images', 'pull', '--hosts-dir', certs, name]);
        expect(await peer.ctr(['images', 'ls', `name==${name}`])).toContain(digest(name));
        expect(await peer.criPull(name)).toMatch(/^sha256:/);
      }
    },
  );

  it.skipIf(dockerd.missing)(`docker pulls those of docker.io${dockerd.why}`, async () => {
    await using peer = await startDockerd(join(node, 'etc/docker/daemon.json'));
    const name = 'docker.io/library/hello:1';
    expect(await peer.docker(['pull', '-q', name])).toBe(`${name}\n`);
    expect(await peer.docker(['image', 'inspect', '--format={{.RepoDigests}}', name])).toContain(digest(name));
  });

  it('changes a node after it has been shown what would change, and undoes that', async () => {
    const root = join(world.path, 'other');
    await mkdir(join(root, 'etc/containers'), { recursive: true });
    const apply = (...args: readonly string[]) =>
      world.images(['node_config', `--registry=${registry.host}`, `--root=${root}`, ...args]);
    const shown = await apply('--apply', '--dry-run');
    expect([shown.status, shown.stderr]).toEqual([
      0,
      expect.stringContaining('Write: /etc/containers/registries.conf.d/'),
    ]);
    expect(await apply('--apply')).toMatchObject({ status: 2, stderr: expect.stringContaining('--yes changes them') });
    expect(await apply('--apply', '--yes')).toMatchObject({ status: 0, stderr: shown.stderr });
    expect(await apply('--apply')).toMatchObject({ status: 0, stderr: 'There is nothing to do.\n' });
    const removed = JSON.parse((await apply('--remove', '--yes', '--json')).stdout);
    expect(removed.changes).toContainEqual({
      path: '/etc/containers/registries.conf.d/50-private-reg.conf',
      what: 'remove',
    });
    expect(await readdir(join(root, 'etc/containers'))).toEqual([]);
    expect((await apply('--apply', '--remove')).status).toBe(2);
    expect((await world.images(['node_config', '--apply', `--root=${root}/none`])).stderr).toContain(
      'no runtime is there',
    );
  });

  it('leaves a registry on the node itself able to fetch: it passes over the mirror that it is', async () => {
    await using own = await newWorld();
    await using upstream = await startUpstream();
    const image = buildImage({ layers: [randomLayer('own', 1000)] });
    upstream.addImage('tools/hello:1', image);
    const { host, base } = await own.startRegistry(['--proxy']);
    // As in what is written, but for quay.io's address.
    const mirror = `[[registry.mirror]]\nlocation = "${host}/quay.io"\ninsecure = true\n`;
    const table = `[[registry]]\nprefix = "quay.io"\nlocation = "${upstream.host}"\ninsecure = true\n${mirror}`;
    await writeFile(own.env.CONTAINERS_REGISTRIES_CONF ?? '', table);
    const answer = await fetch(`${base}/v2/quay.io/tools/hello/manifests/1`, {
      headers: { accept: 'application/vnd.oci.image.manifest.v1+json' },
    });
    expect([answer.status, answer.headers.get('docker-content-digest')]).toEqual([200, image.manifest.digest]);
    expect(upstream.requests).toEqual(['GET /v2/tools/hello/manifests/1']);
  });

  it('says what is wrong with its options', async () => {
    const error = async (...args: readonly string[]) => (await world.images(['node_config', ...args])).stderr;
    expect(await error('--runtime=lxc')).toMatch(/^ERROR: unknown runtime \[--runtime=lxc\]\nKnown: crio/);
    expect(await error(`--registry=${registry.host}`, '--format=x')).toContain('unknown format');
    expect(await error('--registry=a:1', '--registry=b:2')).toContain('not addresses of one registry');
    expect(await error('--registry=a b')).toContain('not the address of a registry');
    expect(await error(`--registry=${registry.host}`, '--host=a"b')).toContain('not the name of a registry');
    await mkdir(join(world.path, 'x'), { recursive: true });
    await writeFile(join(world.path, 'x/hosts'), 'quay.io\n../x\n');
    const env = { __dns_spoof: join(world.path, 'x/hosts') };
    const { stderr } = await world.images(['node_config', `--registry=${registry.host}`], { env });
    expect(stderr).toContain(`[../x] (${env.__dns_spoof}:2)`);
  });
});
