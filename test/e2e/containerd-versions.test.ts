// Newer containerds than the machine's, brought from later Debians: all tests that start a containerd are run with each, and what differs between versions in certs.d
// is seen. Only in `npm run soak containerd-versions`.
import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { buildImage, pushImage, randomLayer } from '../fixtures/image.ts';
import { startContainerd } from '../peers/containerd.ts';
import { because, needs } from '../peers/find.ts';
import { fetchNewer } from '../peers/newer.ts';
import { run, until } from '../peers/process.ts';
import { newWorld, ROOT, type World } from '../peers/program.ts';

const soak = because([
  process.env.IMAGES_SOAK ? undefined : 'it is for `npm run soak containerd-versions`',
  needs('root', 'containerd', 'apt-get', 'unshare', 'ip').why.replace(/^ \(skipped: (.*)\)$/, '$1'),
]);
const FILES = ['make-containerd', 'node-config', 'load', 'kind', 'k3s'];
const VERSIONS = ['containerd-1.7', 'containerd-2'] as const;

describe.skipIf(soak.missing).each(VERSIONS)(`%s${soak.why}`, (version) => {
  it('passes all tests that start a containerd', async () => {
    const env = Object.fromEntries(
      Object.keys(process.env).flatMap((name) =>
        /^VITEST|^IMAGES_SOAK$|^NODE_/.test(name) ? [[name, undefined]] : [],
      ),
    );
    const files = FILES.map((name) => `test/e2e/${name}.test.ts`);
    const result = await run(join(ROOT, 'node_modules/.bin/vitest'), ['run', '--project=all', ...files], {
      cwd: ROOT,
      env: { ...env, IMAGES_TEST_CONTAINERD: await fetchNewer(version) },
    });
    expect(result.status, result.stdout).toBe(0);
  });
});

const NAME = 'unlisted.example/app:1';

describe.skipIf(soak.missing)(`certs.d of containerd 2${soak.why}`, () => {
  const registryTable = (path: string) => `[plugins."io.containerd.grpc.v1.cri".registry]\n  config_path = "${path}"\n`;
  const transferTable = (path: string) => `[plugins."io.containerd.transfer.v1.local"]\n  config_path = "${path}"\n`;

  async function written(world: World, text: string): Promise<string> {
    const certs = join(world.path, `certs-${Math.random()}`.replace('.', ''));
    await mkdir(join(certs, '_default'), { recursive: true });
    await writeFile(join(certs, '_default/hosts.toml'), text);
    return certs;
  }

  it('is read for all hosts by _default if it is one directory; of two, pulls by CRI read none', async () => {
    await using world = await newWorld();
    const { base } = await world.startRegistry();
    await pushImage(base, NAME, buildImage({ layers: [randomLayer(NAME, 1000)] }));
    const certs = await written(world, `[host."${base}"]\n  capabilities = ["pull", "resolve"]\n`);
    const programs = await fetchNewer('containerd-2');
    const pull = async (path: string) => {
      await using peer = await startContainerd({ programs, cri: registryTable(path) + transferTable(path) });
      const ready = async () => (await peer.criImage('none.example/a:1').catch(() => 'not yet')) === undefined;
      await until(ready);
      return await peer.criPull(NAME).catch(String);
    };
    expect(await pull(certs)).toMatch(/^sha256:/);
    expect(await pull(`${certs}:${certs}-none`)).toContain('unlisted.example');
  });

  it('gives up a registry that is off after dial_timeout', async () => {
    await using world = await newWorld();
    const programs = join(world.path, 'programs');
    await mkdir(programs);
    const newer = await fetchNewer('containerd-2');
    for (const name of ['ctr', 'containerd-shim-runc-v2']) await symlink(join(newer, name), join(programs, name));
    // In a network in which nobody answers, and nobody says so.
    const network = `ip link set lo up
ip link add eth0 type veth peer name other
ip addr add 192.0.2.2/24 dev eth0
ip link set eth0 up
ip link set other up
ip neigh add 192.0.2.1 lladdr 02:00:00:00:00:01 dev eth0 nud permanent`;
    const inNetwork = `${network}\nexec '${newer}/containerd' "$@"`;
    await writeFile(
      join(programs, 'containerd'),
      `#!/bin/sh\nexec unshare -n sh -ec '${inNetwork.replaceAll("'", `'\\''`)}' sh "$@"\n`,
      {
        mode: 0o755,
      },
    );
    const seconds = async (more: string) => {
      const host = `[host."http://192.0.2.1:80"]\n  capabilities = ["pull", "resolve"]\n${more}`;
      const certs = await written(world, `server = "http://127.0.0.1:1"\n${host}`);
      await using peer = await startContainerd({ programs, cri: registryTable(certs) + transferTable(certs) });
      await until(async () => (await peer.criImage('none.example/a:1').catch(() => 'not yet')) === undefined);
      const begin = Date.now();
      await expect(peer.criPull(NAME)).rejects.toThrow();
      return (Date.now() - begin) / 1000;
    };
    const quick = await seconds('  dial_timeout = "2s"\n');
    expect(quick).toBeLessThan((await seconds('')) / 2);
  });
});
