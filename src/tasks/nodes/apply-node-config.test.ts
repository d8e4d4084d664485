import { chmod, mkdir, readFile, stat, symlink, writeFile } from 'node:fs/promises';
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
      '/etc/rancher/k3s/registries.yaml: it was there before',
    ]);
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
