// Clients that log in to `images serve`: over HTTPS with its own CA, and behind nginx as docs/registries.md sets it up.
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { hashSync } from 'bcryptjs';
import { describe, expect, it } from 'vitest';
import { openAuthority } from '../../src/certificates/authority.ts';
import { buildImage, type FixtureImage, randomLayer } from '../fixtures/image.ts';
import { writeLayout } from '../fixtures/layout.ts';
import { startContainerd } from '../peers/containerd.ts';
import { startDockerd } from '../peers/dockerd.ts';
import { needs } from '../peers/find.ts';
import { startNginx } from '../peers/nginx.ts';
import { must, run, stop, until } from '../peers/process.ts';
import { newWorld, ROOT, type World } from '../peers/program.ts';
import { freePort } from '../peers/temporary.ts';

const RULES = `auth = "htpasswd:users"
[[rule]]
repositories = "public/**"
allow = ["pull"]
[[rule]]
repositories = "public/**"
users = ["anna"]
allow = ["push"]
[[rule]]
repositories = "team/**"
users = ["anna"]
allow = ["pull", "push"]
`;
/** Larger than what nginx takes by itself. */
const IMAGE = buildImage({ layers: [randomLayer('access', 2_000_000)] });

interface Site extends AsyncDisposable {
  readonly world: World;
  /** `127.0.0.1:PORT` of the registry itself. */
  readonly host: string;
  log(): string;
}

async function startSite(args: readonly string[] = [], rules = RULES): Promise<Site> {
  const world = await newWorld();
  const host = `127.0.0.1:${await freePort()}`;
  await mkdir(world.data, { recursive: true });
  await writeFile(join(world.data, 'users'), `anna:${hashSync('secret', 4)}\n`);
  await writeFile(join(world.data, 'registry.toml'), rules);
  const child = world.startImages(['serve', `--listen=${host}`, ...args]);
  const said: Buffer[] = [];
  child.stdout?.resume();
  child.stderr?.on('data', (chunk: Buffer) => said.push(chunk));
  const log = () => Buffer.concat(said).toString();
  await until(async () => log().includes(' serving '));
  return {
    world,
    host,
    log,
    [Symbol.asyncDispose]: async () => {
      await stop(child);
      await world[Symbol.asyncDispose]();
    },
  };
}

/** The nginx of docs/registries.md, with ports and files of this test. Returns where clients reach it, and the CA. */
async function behindDocumentedNginx({ world, host }: Site) {
  const directory = join(world.path, 'nginx');
  const authority = await openAuthority({ directory, machine: 'test' });
  const address = { kind: 'ip', address: '127.0.0.1' } as const;
  const { certificate, key } = await authority.issue([address], { now: new Date(), days: 1 });
  const [crt, pem] = [join(directory, 'server.crt'), join(directory, 'server.key')];
  await writeFile(crt, certificate);
  await writeFile(pem, key, { mode: 0o600 });
  const page = await readFile(join(ROOT, 'docs/registries.md'), 'utf8');
  const [, block = ''] = /```nginx\n([\s\S]*?)```/.exec(page) ?? [];
  const port = await freePort();
  const server = block
    .replace('listen 443', `listen 127.0.0.1:${port}`)
    .replace('/etc/ssl/registry.crt', crt)
    .replace('/etc/ssl/registry.key', pem)
    .replace('127.0.0.1:5000', host);
  const nginx = await startNginx({ server, port });
  return { host: `127.0.0.1:${port}`, ca: join(directory, 'ca.crt'), ...nginx };
}

async function layoutOf(world: World, image: FixtureImage): Promise<string> {
  const layout = join(world.path, 'layout');
  await writeLayout(layout, { 1: image });
  return layout;
}

const docker = needs('root', 'dockerd', 'docker', 'nginx', 'skopeo');
const containerd = needs('root', 'containerd', 'ctr', 'skopeo');
const skopeo = needs('nginx', 'skopeo', 'curl');

describe('clients of a registry with users', () => {
  it.skipIf(docker.missing)(`docker, behind nginx as documented${docker.why}`, async () => {
    await using site = await startSite(['--trusted-proxies=local']);
    await using proxy = await behindDocumentedNginx(site);
    await using engine = await startDockerd();
    const by = (config: string, ...args: string[]) =>
      engine.docker(['--config', join(site.world.path, config), ...args]);
    const anna = (...args: string[]) => by('anna', ...args);
    await expect(anna('login', '-u', 'anna', '-p', 'wrong', proxy.host)).rejects.toThrow(/unauthorized/i);
    expect(await anna('login', '-u', 'anna', '-p', 'secret', proxy.host)).toContain('Login Succeeded');
    const empty = join(site.world.path, 'empty.tar');
    await must('tar', ['cf', empty, '-C', site.world.data, 'users']);
    const team = `${proxy.host}/team/app:1`;
    await anna('import', empty, team);
    const digest = /sha256:[0-9a-f]{64}/.exec(await anna('push', team))?.[0];
    await anna('tag', team, `${proxy.host}/public/app:1`);
    await anna('push', '-q', `${proxy.host}/public/app:1`);
    await anna('tag', team, `${proxy.host}/other/app:1`);
    await expect(anna('push', '-q', `${proxy.host}/other/app:1`)).rejects.toThrow(/denied/);
    await anna('rmi', team, `${proxy.host}/public/app:1`, `${proxy.host}/other/app:1`);
    await anna('pull', '-q', `${proxy.host}/team/app@${digest}`);
    expect(await by('nobody', 'pull', '-q', `${proxy.host}/public/app:1`)).toContain('public/app:1');
    await expect(by('nobody', 'pull', '-q', team)).rejects.toThrow(/denied|unauthorized|no basic auth/i);
    expect(site.log()).not.toContain('come through a proxy');
  });

  it.skipIf(containerd.missing)(`containerd, over HTTPS with the own CA${containerd.why}`, async () => {
    await using site = await startSite(['--tls=auto']);
    await using engine = await startContainerd();
    const { host, world } = site;
    const hosts = join(world.path, 'certs.d');
    await mkdir(join(hosts, host), { recursive: true });
    const ca = join(world.data, 'images/tls/ca.crt');
    await writeFile(join(hosts, host, 'hosts.toml'), `[host."https://${host}"]\nca = "${ca}"\n`);
    await mkdir(join(world.path, 'trusted'));
    await writeFile(join(world.path, 'trusted/ca.crt'), await readFile(ca));
    const layout = await layoutOf(world, IMAGE);
    for (const name of ['team', 'public'])
      await must('skopeo', [
        'copy',
        '-q',
        `--dest-cert-dir=${join(world.path, 'trusted')}`,
        '--dest-creds=anna:secret',
        `oci:${layout}:1`,
        `docker://${host}/${name}/app:1`,
      ]);
    const image = (way: string, ...args: string[]) => engine.ctr(['images', way, '--hosts-dir', hosts, ...args]);
    const anna = ['--user', 'anna:secret'];
    await image('pull', `${host}/public/app:1`);
    await expect(image('pull', `${host}/team/app:1`)).rejects.toThrow(/401|authorization failed|insufficient_scope/i);
    await expect(image('pull', '--user', 'anna:wrong', `${host}/team/app:1`)).rejects.toThrow(/401|unauthorized/i);
    await image('pull', ...anna, `${host}/team/app:1`);
    await image('push', ...anna, `${host}/team/app:2`, `${host}/team/app:1`);
    await expect(image('push', ...anna, `${host}/other/app:2`, `${host}/team/app:1`)).rejects.toThrow(/403|denied/i);
    expect(await world.must(['lreg_ls'])).toMatch(/team\/app:\n {2}\["1","2"\]/);
  });

  it.skipIf(skopeo.missing)(
    `skopeo, behind an nginx that only passes on, over which nobody is this machine${skopeo.why}`,
    async () => {
      await using site = await startSite(['--audit']);
      const port = await freePort();
      await using _nginx = await startNginx({
        port,
        server: `server { listen 127.0.0.1:${port}; client_max_body_size 0; location / { proxy_pass http://${site.host}; } }`,
      });
      const host = `127.0.0.1:${port}`;
      const layout = await layoutOf(site.world, IMAGE);
      const copy = (to: string, ...creds: string[]) =>
        run('skopeo', ['copy', '-q', '--dest-tls-verify=false', ...creds, `oci:${layout}:1`, `docker://${host}/${to}`]);
      expect((await copy('team/app:1', '--dest-creds=anna:wrong')).stderr).toMatch(/unauthorized|invalid username/i);
      expect(await copy('team/app:1', '--dest-creds=anna:secret')).toMatchObject({ status: 0 });
      expect((await copy('other/app:1', '--dest-creds=anna:secret')).stderr).toContain('403 (Forbidden)');
      expect((await copy('team/app:2')).stderr).toMatch(/unauthorized|authentication required/i);
      expect(site.log()).toMatch(/audit: anna proxy:127\.0\.0\.1 PUT \/v2\/team\/app\/manifests\/1 201/);
    },
  );
});

it.skipIf(skopeo.missing)(`nobody behind a proxy may what this machine may${skopeo.why}`, async () => {
  await using open = await startSite([], '');
  const port = await freePort();
  await using _nginx = await startNginx({
    port,
    server: `server { listen 127.0.0.1:${port}; location / { proxy_pass http://${open.host}; proxy_http_version 1.1; proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for; }
      location /v2/old/ { proxy_pass http://${open.host}; } }`,
  });
  const push = async (host: string, repository: string, headers = {}) =>
    (await fetch(`http://${host}/v2/${repository}/blobs/uploads/`, { method: 'POST', headers })).status;
  expect(await push(open.host, 'new/app')).toBe(202);
  for (const repository of ['new/app', 'old/app']) {
    expect(await push(`127.0.0.1:${port}`, repository)).toBe(403);
    expect(await push(`127.0.0.1:${port}`, repository, { 'X-Forwarded-For': '127.0.0.1' })).toBe(403);
  }
  expect(open.log().match(/requests come through a proxy \[127\.0\.0\.1\].*--trusted-proxies=local/g)).toHaveLength(1);
});
