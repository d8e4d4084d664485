import { chmod, mkdir, readFile, rm, rmdir, stat, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { must } from '../../../test/peers/process.ts';
import type { NodeRequest } from '../../nodes/node-file.ts';
import { type TemporaryWorld, temporaryWorld } from '../testing/temporary-world.ts';
import { applyNodeConfig, removeNodeConfig, runtimesThere } from './apply-node-config.ts';

const REQUEST: NodeRequest = {
  registry: { addresses: ['10.0.0.1', 'fd00::1'], port: 80, scheme: 'http', names: 'with-host' },
  hosts: ['docker.io', 'quay.io'],
  runtimes: ['crio', 'containerd', 'docker', 'k3s'],
  spoof: true,
};
const MOVED: NodeRequest = {
  ...REQUEST,
  registry: { ...REQUEST.registry, addresses: ['10.0.0.2'] },
  spoof: false,
};
const QUAY = 'etc/containerd/certs.d/quay.io/hosts.toml';
const THEIRS = {
  'etc/hosts': '127.0.0.1 localhost',
  'etc/containerd/config.toml': 'version = 2\n# theirs\n[plugins."io.containerd.grpc.v1.cri".cni]\nbin_dir = "/x"\n',
  'etc/docker/daemon.json': '{"debug":true,"registry-mirrors":["https://m"]}',
  'etc/containerd/certs.d/quay.io/hosts.toml': 'server = "https://mine"\n',
};

describe('the configuration of this node', () => {
  it('is written beside what others have written, once, and taken out again byte for byte', async () => {
    await using node = await newNode(THEIRS);
    await chmod(node.at('etc/docker/daemon.json'), 0o600);
    const before = await node.tree();
    const planned = await applyNodeConfig(REQUEST, { root: node.root, isDryRun: true });
    expect(await node.tree()).toEqual(before);
    const done = await applyNodeConfig(REQUEST, { root: node.root });
    expect(done).toEqual(planned);
    expect(done.commands).toEqual(['systemctl restart containerd', 'systemctl reload docker', 'systemctl restart k3s']);
    expect(done.changes).toContainEqual({ path: '/etc/hosts', what: 'change' });
    expect(done.changes).toContainEqual({ path: '/etc/rancher/k3s/registries.yaml', what: 'write' });
    expect(await node.text('etc/hosts')).toContain('10.0.0.1 quay.io\n');
    expect(await node.text('etc/containerd/config.toml')).toMatch(/# theirs\n[\s\S]*config_path/);
    expect(JSON.parse(await node.text('etc/docker/daemon.json'))).toMatchObject({
      debug: true,
      'registry-mirrors': ['http://docker.io', 'https://m'],
    });
    expect((await stat(node.at('etc/docker/daemon.json'))).mode & 0o777).toBe(0o600);
    const after = await node.tree();
    expect(await applyNodeConfig(REQUEST, { root: node.root })).toEqual({ changes: [], commands: [] });
    expect(await node.tree()).toEqual(after);
    await removeNodeConfig({ root: node.root });
    expect(await node.tree()).toEqual(before);
    expect(await removeNodeConfig({ root: node.root })).toEqual({ changes: [], commands: [] });
  });

  it('follows the registry, and forgets hosts that are not wanted any more', async () => {
    await using node = await newNode(THEIRS);
    const before = await node.tree();
    await applyNodeConfig(REQUEST, { root: node.root });
    const registry = { ...REQUEST.registry, addresses: ['10.0.0.2'] };
    const { changes } = await applyNodeConfig({ ...REQUEST, registry, hosts: ['docker.io'] }, { root: node.root });
    expect(changes).toContainEqual({ path: '/etc/containerd/certs.d/quay.io/hosts.toml', what: 'restore' });
    expect(await node.text('etc/hosts')).not.toContain('quay.io');
    expect(await node.text('etc/rancher/k3s/registries.yaml')).toContain('10.0.0.2');
    await removeNodeConfig({ root: node.root });
    expect(await node.tree()).toEqual(before);
  });

  it('leaves what others have changed since, as far as it can tell', async () => {
    await using node = await newNode(THEIRS);
    await applyNodeConfig(REQUEST, { root: node.root });
    await node.append('etc/hosts', '10.9.9.9 later\n');
    await node.append('etc/containerd/config.toml', '# later\n');
    const docker = JSON.parse(await node.text('etc/docker/daemon.json'));
    await node.write('etc/docker/daemon.json', JSON.stringify({ ...docker, ipv6: true }));
    const { changes } = await removeNodeConfig({ root: node.root });
    expect(changes.filter(({ what }) => what === 'stays')).toEqual([
      { path: '/etc/containerd/config.toml', what: 'stays', why: 'it has been changed since' },
    ]);
    expect(await node.text('etc/hosts')).toBe('127.0.0.1 localhost\n10.9.9.9 later\n');
    expect(JSON.parse(await node.text('etc/docker/daemon.json'))).toEqual({
      debug: true,
      ipv6: true,
      'registry-mirrors': ['https://m'],
    });
  });

  it('keeps what others have written in between, also when the registry moves', async () => {
    await using node = await newNode({ 'etc/hosts': '127.0.0.1 localhost\n' });
    await applyNodeConfig(REQUEST, { root: node.root });
    await node.append('etc/hosts', '10.9.9.9 later\n');
    const docker = JSON.parse(await node.text('etc/docker/daemon.json'));
    await node.write('etc/docker/daemon.json', JSON.stringify({ ...docker, ipv6: true }));
    await node.append('etc/containerd/config.toml', '# later\n');
    await node.append(QUAY, '# later\n');
    await node.append('etc/rancher/k3s/registries.yaml', '# later\n');
    const { changes } = await applyNodeConfig(MOVED, { root: node.root });
    expect(changes.filter(({ what }) => what === 'stays').map(({ path }) => path)).toEqual([
      `/${QUAY}`,
      '/etc/rancher/k3s/registries.yaml',
    ]);
    expect(JSON.parse(await node.text('etc/docker/daemon.json'))).toEqual({
      ipv6: true,
      'registry-mirrors': ['http://10.0.0.2:80'],
      'insecure-registries': ['10.0.0.2:80'],
    });
    const removed = await removeNodeConfig({ root: node.root });
    expect(await node.text('etc/hosts')).toBe('127.0.0.1 localhost\n10.9.9.9 later\n');
    expect(JSON.parse(await node.text('etc/docker/daemon.json'))).toEqual({ ipv6: true });
    const staying = [`/${QUAY}`, '/etc/containerd/config.toml', '/etc/rancher/k3s/registries.yaml'];
    expect(
      removed.changes
        .filter(({ what }) => what === 'stays')
        .map(({ path }) => path)
        .sort(),
    ).toEqual(staying);
    // They are known until somebody has seen to them.
    for (const path of staying) await rm(node.at(path));
    expect((await removeNodeConfig({ root: node.root })).changes).toEqual([]);
    await expect(stat(node.at('var/lib/private-reg'))).rejects.toThrow('ENOENT');
  });

  it('takes the old addresses out of daemon.json when the registry moves', async () => {
    await using node = await newNode(THEIRS);
    await applyNodeConfig(REQUEST, { root: node.root });
    await applyNodeConfig(MOVED, { root: node.root });
    expect(JSON.parse(await node.text('etc/docker/daemon.json'))).toEqual({
      debug: true,
      'registry-mirrors': ['http://10.0.0.2:80', 'https://m'],
      'insecure-registries': ['10.0.0.2:80'],
    });
  });

  it.each([
    ['the first, then finished', false, true],
    ['the first, then undone', false, false],
    ['a later one, then finished', true, true],
    ['a later one, then undone', true, false],
  ])('is whole after a writing that ended in its midst: %s', async (_, isLater, isFinished) => {
    await using node = await newNode(THEIRS);
    const before = await node.tree();
    if (isLater) await applyNodeConfig(REQUEST, { root: node.root });
    // A file where a directory has to be: what comes after it is noted, and not written.
    await node.write('etc/rancher/rke2', '');
    const request: NodeRequest = { ...MOVED, runtimes: ['crio', 'containerd', 'docker', 'rke2', 'k3s'] };
    await expect(applyNodeConfig(request, { root: node.root })).rejects.toThrow();
    await rm(node.at('etc/rancher/rke2'));
    if (!isLater) await rmdir(node.at('etc/rancher'));
    // Its directory was made, and it was not written.
    await rm(node.at('etc/containerd/certs.d/_default/hosts.toml'));
    if (isFinished) {
      const { changes } = await applyNodeConfig(request, { root: node.root });
      expect(changes.map(({ what }) => what)).not.toContain('stays');
      expect(await node.text('etc/rancher/k3s/registries.yaml')).toContain('10.0.0.2');
      expect(await applyNodeConfig(request, { root: node.root })).toEqual({ changes: [], commands: [] });
    }
    const { changes } = await removeNodeConfig({ root: node.root });
    expect(changes.map(({ what }) => what)).not.toContain('stays');
    expect(await node.tree()).toEqual(before);
  });

  it('goes away where another file of podman’s comes later, with which it does not go together', async () => {
    await using node = await newNode({});
    const search = 'etc/containers/registries.conf.d/51-private-reg-search.conf';
    await applyNodeConfig({ ...REQUEST, runtimes: ['crio'] }, { root: node.root });
    await node.write('etc/containers/registries.conf', 'unqualified-search-registries = ["quay.io"]\n');
    expect((await applyNodeConfig({ ...REQUEST, runtimes: ['crio'] }, { root: node.root })).changes).toEqual([
      { path: `/${search}`, what: 'remove' },
    ]);
    await node.write('etc/containers/registries.conf', "[registries.search]\nregistries = ['docker.io']\n");
    const { changes } = await applyNodeConfig({ ...REQUEST, runtimes: ['crio'] }, { root: node.root });
    expect(changes).toMatchObject([
      {
        path: '/etc/containers/registries.conf.d/50-private-reg.conf',
        what: 'remove',
        why: expect.stringContaining('version 1'),
      },
      { path: `/${search}`, what: 'stays' },
    ]);
  });

  it('keeps bytes that are no UTF-8, and says which earlier line of /etc/hosts counts', async () => {
    await using node = await newNode({ 'etc/hosts': '', 'etc/docker/daemon.json': '' });
    const hosts = Buffer.from('10.9.9.9 quay.io # Mus\u00e9e\n', 'latin1');
    await writeFile(node.at('etc/hosts'), hosts);
    await writeFile(node.at('etc/docker/daemon.json'), Buffer.from('{"label":"\u00e9"}', 'latin1'));
    const { changes } = await applyNodeConfig(REQUEST, { root: node.root });
    expect(changes).toContainEqual({
      path: '/etc/hosts',
      what: 'change',
      why: 'an earlier line has another address for quay.io',
    });
    expect(changes).toContainEqual({ path: '/etc/docker/daemon.json', what: 'stays', why: 'it is not UTF-8' });
    expect((await readFile(node.at('etc/hosts'))).subarray(0, hosts.length)).toEqual(hosts);
  });

  it('says what it cannot change', async () => {
    await using node = await newNode({
      'etc/containers/registries.conf': "[registries.search]\nregistries = ['docker.io']\n",
      'etc/rancher/k3s/registries.yaml': 'mirrors: {}\n',
      'etc/containerd/config.toml': 'version = 2\n[plugins."io.containerd.grpc.v1.cri".registry.mirrors."x"]\n',
      'etc/docker/daemon.json': '[]',
    });
    const { changes } = await applyNodeConfig(REQUEST, { root: node.root });
    const stays = changes.filter(({ what }) => what === 'stays').map(({ path, why }) => `${path}: ${why}`);
    const version1 = '/etc/containers/registries.conf is of version 1: remove it, or write it anew';
    expect(stays).toEqual([
      `/etc/containers/registries.conf.d/50-private-reg.conf: ${version1}`,
      `/etc/containers/registries.conf.d/51-private-reg-search.conf: ${version1}`,
      '/etc/containerd/config.toml: it has mirrors of its own',
      '/etc/docker/daemon.json: it is not a JSON object',
      '/etc/rancher/k3s/registries.yaml: it is written in a form that is not edited: add to it what `images node_config` prints for it',
    ]);
  });

  it.each([
    ['usr/local/share/ca-certificates', 'update-ca-certificates', 'update-ca-certificates --fresh'],
    ['etc/pki/ca-trust/source/anchors', 'update-ca-trust extract', 'update-ca-trust extract'],
    ['etc/pki/trust/anchors', 'update-ca-certificates', 'update-ca-certificates'],
  ])(
    'puts the CA where the system looks for it (%s), and says what makes it known',
    async (directory, added, removed) => {
      await using node = await newNode({ [`${directory}/theirs`]: '' });
      const before = await node.tree();
      const registry = { ...REQUEST.registry, scheme: 'https', ca: 'CA\n' } as const;
      const request: NodeRequest = { ...REQUEST, registry, runtimes: ['crio'] };
      expect((await applyNodeConfig(request, { root: node.root })).commands).toEqual([added]);
      expect(await node.text(`${directory}/private-reg.crt`)).toBe('CA\n');
      expect((await applyNodeConfig(request, { root: node.root })).commands).toEqual([]);
      expect((await removeNodeConfig({ root: node.root })).commands).toEqual([removed]);
      expect(await node.tree()).toEqual(before);
    },
  );

  it('is refused where the registry itself runs, if it could not reach the hosts any more', async () => {
    const here = { ...REQUEST, registry: { ...REQUEST.registry, addresses: ['10.255.255.1', '127.0.0.1'] } };
    for (const how of [{ spoof: true }, { spoof: false, only: true }])
      await expect(applyNodeConfig({ ...here, ...how }, { root: '/', isDryRun: true })).rejects.toMatchObject({
        code: 'USAGE',
        message: expect.stringContaining('the registry is on this machine [127.0.0.1]'),
      });
  });

  it('says nothing of short names where others do', async () => {
    await using node = await newNode({
      'etc/containers/registries.conf.d/10-mine.conf': 'unqualified-search-registries = ["quay.io"]\n',
    });
    await applyNodeConfig({ ...REQUEST, runtimes: ['crio'] }, { root: node.root });
    await expect(node.text('etc/containers/registries.conf.d/51-private-reg-search.conf')).rejects.toThrow('ENOENT');
  });

  it('never leaves the root, and never follows a record that does', async () => {
    await using node = await newNode({ 'elsewhere/x': '' });
    await mkdir(node.at('node'));
    await symlink(node.at('elsewhere'), node.at('node/etc'));
    const root = node.at('node');
    await expect(applyNodeConfig(REQUEST, { root })).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
    for (const record of ['{', '{"files":[{"path":"../x"}],"directories":[]}']) {
      await node.write('node/var/lib/private-reg/record.json', record);
      await expect(removeNodeConfig({ root })).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
    }
  });

  it('is for the runtimes that are there', async () => {
    await using node = await newNode({ 'usr/bin/dockerd': '', 'etc/rancher/rke2/x': '' });
    expect(runtimesThere(node.root)).toEqual(['docker', 'rke2']);
    await node.write('etc/containerd/config.toml', '# docker\ndisabled_plugins = ["cri"]\n');
    expect(runtimesThere(node.root)).toEqual(['docker', 'rke2']);
    await node.write('etc/containerd/config.toml', 'version = 2\n');
    expect(runtimesThere(node.root)).toEqual(['containerd', 'docker', 'rke2']);
    await rm(node.at('usr/bin/dockerd'));
    await node.write('etc/containerd/config.toml', 'disabled_plugins = ["cri"]\n');
    expect(runtimesThere(node.root)).toEqual(['containerd', 'rke2']);
  });
});

interface TestNode extends AsyncDisposable {
  readonly root: string;
  at(path: string): string;
  text(path: string): Promise<string>;
  write(path: string, content: string): Promise<void>;
  append(path: string, content: string): Promise<void>;
  tree(): Promise<readonly string[]>;
}

async function newNode(files: Readonly<Record<string, string>>): Promise<TestNode> {
  const world: TemporaryWorld = await temporaryWorld();
  const root = join(world.path, 'root');
  const at = (path: string) => join(root, path);
  const text = (path: string) => readFile(at(path), 'utf8');
  const write = async (path: string, content: string) => {
    await mkdir(dirname(at(path)), { recursive: true });
    await writeFile(at(path), content);
  };
  for (const [path, content] of Object.entries({ 'var/lib/x': '', ...files })) await write(path, content);
  return {
    root,
    at,
    text,
    write,
    append: async (path, content) => write(path, (await text(path)) + content),
    tree: async () => {
      const list = 'find . -mindepth 1 -printf "%p %y %m\\n" | sort; find . -type f | sort | xargs sha256sum';
      return (await must('sh', ['-c', `cd "$0"; ${list}`, root])).split('\n');
    },
    [Symbol.asyncDispose]: () => world[Symbol.asyncDispose](),
  };
}
