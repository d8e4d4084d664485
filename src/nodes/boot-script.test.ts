// The boot script in another root, by each shell that is here. With routes and in real root file systems: test/e2e/private-reg.test.ts.
import { chmod, lstat, mkdir, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { findProgram, needs } from '../../test/peers/find.ts';
import { must, run } from '../../test/peers/process.ts';
import { temporaryDirectory } from '../../test/peers/temporary.ts';
import { BOOT_SCRIPT } from './boot-script.ts';
import type { NodeRequest } from './node-file.ts';
import { bootFiles } from './node-files.ts';
import { HOSTS_BEGIN, HOSTS_END, withHosts } from './shared/hosts-file.ts';
import { CONFIG_CORPUS } from './testing/config-corpus.ts';

const SHELLS = ['sh', 'busybox sh'].filter((shell) => findProgram(shell.split(' ')[0] ?? ''));
const shellcheck = needs('shellcheck');
const REQUEST: NodeRequest = {
  registry: { addresses: ['192.168.0.250', 'fd00::250'], port: 80, scheme: 'http', names: 'with-host' },
  hosts: ['docker.io', 'quay.io'],
  runtimes: ['crio', 'containerd', 'docker', 'k3s'],
  spoof: true,
};
const SEARCH = 'etc/containers/registries.conf.d/51-private-reg-search.conf';
const DROP_IN = 'etc/containers/registries.conf.d/50-private-reg.conf';

describe.each(SHELLS)('the boot script, run by %s', (shell) => {
  const boot = async (root: string, env = {}) => {
    const [command = '', ...args] = shell.split(' ');
    const script = join(root, 'etc/init.d/28private-reg.rc');
    const result = await run(command, [...args, '-u', script], { env: { PRIVATE_REG_ROOT: root, ...env } });
    expect([result.status, result.stderr]).toEqual([0, '']);
    return result.stdout;
  };

  it('puts all that is shared to its place on a bare node, once', async () => {
    await using node = await bareNode();
    expect(await boot(node.path)).toBe('');
    const first = await node.texts();
    expect(first['etc/hosts']).toBe(withHosts('127.0.0.1 localhost\n', await node.block()));
    for (const path of [
      'etc/containerd/config.toml',
      'etc/docker/daemon.json',
      'etc/rancher/k3s/registries.yaml',
      SEARCH,
    ])
      expect(first[path], path).toBe(first[`etc/private-reg/${path}`]);
    expect((await stat(join(node.path, 'etc/rancher/k3s/registries.yaml'))).mode & 0o777).toBe(0o600);
    expect(await boot(node.path)).toBe('');
    expect(await node.texts()).toEqual(first);
  });

  it.each(CONFIG_CORPUS)('does to a config.toml $what', async ({ before, after, refused }) => {
    await using node = await bareNode({ 'etc/containerd/config.toml': before });
    const said = await boot(node.path);
    // awk ends each line.
    expect(await node.text('etc/containerd/config.toml')).toBe(ended(after ?? before));
    expect(said).toContain(refused ?? '');
    expect(said === '').toBe(refused === undefined);
  });

  it('leaves what others have written, and says so', async () => {
    const others = {
      'etc/docker/daemon.json': '{"debug": true}\n',
      'etc/rancher/k3s/registries.yaml': 'mirrors: {}\n',
      'etc/hosts': '10.0.0.1 quay.io mine',
    };
    await using node = await bareNode(others);
    const said = await boot(node.path);
    expect(said.split('\n').filter((line) => line !== '')).toEqual([
      'private-reg: WARNING: an earlier line of /etc/hosts has another address for quay.io',
      expect.stringContaining('/etc/docker/daemon.json was there before and stays'),
      expect.stringContaining('/etc/rancher/k3s/registries.yaml was there before and stays'),
    ]);
    expect(await node.text('etc/docker/daemon.json')).toBe(others['etc/docker/daemon.json']);
    expect(await node.text('etc/hosts')).toBe(withHosts(others['etc/hosts'], await node.block()));
  });

  it('keeps links, modes and the bytes of others', async () => {
    await using node = await bareNode({
      'run/hosts': '',
      'opt/config.toml': CONFIG_CORPUS[1]?.before ?? '',
    });
    const mark = HOSTS_BEGIN;
    const orphan = `127.0.0.1 localhost # ${String.fromCharCode(233)}\r\n${mark}\n10.9.9.9 other\n`;
    const old = `${mark}\r\n10.0.0.1 old\r\n${HOSTS_END}\r\n10.8.8.8 last`;
    await writeFile(join(node.path, 'run/hosts'), Buffer.from(orphan + old, 'latin1'));
    await chmod(join(node.path, 'run/hosts'), 0o640);
    await chmod(join(node.path, 'opt/config.toml'), 0o600);
    await mkdir(join(node.path, 'etc/containerd'), { recursive: true });
    await symlink('../run/hosts', join(node.path, 'etc/hosts'));
    await symlink('../../opt/config.toml', join(node.path, 'etc/containerd/config.toml'));
    expect(await boot(node.path)).toBe('');
    expect(await boot(node.path)).toBe('');
    const hosts = await readFile(join(node.path, 'run/hosts'), 'latin1');
    expect(hosts).toBe(withHosts(`${orphan}10.8.8.8 last`, await node.block()));
    for (const path of ['etc/hosts', 'etc/containerd/config.toml'])
      expect((await lstat(join(node.path, path))).isSymbolicLink(), path).toBe(true);
    expect(await node.text('opt/config.toml')).toBe(CONFIG_CORPUS[1]?.after);
    const modes = ['run/hosts', 'opt/config.toml'].map(
      async (path) => (await stat(join(node.path, path))).mode & 0o777,
    );
    expect(await Promise.all(modes)).toEqual([0o640, 0o600]);
  });

  // busybox takes its own awk, whatever PATH says.
  it.skipIf(shell.startsWith('busybox'))(
    'leaves a file of which the new content is not there whole, as on a full disk',
    async () => {
      const others = { 'etc/hosts': '10.0.0.1 mine\n', 'etc/containerd/config.toml': CONFIG_CORPUS[1]?.before ?? '' };
      await using node = await bareNode({
        ...others,
        // As that of busybox, which writes less than it says.
        'bin/awk': `#!/bin/sh\n[ ! -f /dev/stdout ] || exit 0\nPATH=\${PATH#*:} exec awk "$@"\n`,
      });
      await chmod(join(node.path, 'bin/awk'), 0o755);
      const said = await boot(node.path, { PATH: `${join(node.path, 'bin')}:${process.env.PATH}` });
      expect(said).toContain('/etc/hosts cannot be written');
      expect(said).toContain('/etc/containerd/config.toml stays');
      const texts = await node.texts();
      for (const [path, text] of Object.entries(others)) expect(texts[path], path).toBe(text);
      expect(Object.keys(texts).filter((path) => path.endsWith('.private-reg'))).toEqual([]);
    },
  );

  it('renews what it has put there itself, when the registry has moved', async () => {
    await using node = await bareNode();
    await boot(node.path);
    await node.write(bootFiles({ ...REQUEST, registry: { ...REQUEST.registry, addresses: ['10.0.0.9'] } }));
    expect(await boot(node.path)).toBe('');
    const texts = await node.texts();
    expect(texts['etc/docker/daemon.json']).toContain('10.0.0.9:80');
    expect(texts['etc/hosts']).toContain('10.0.0.9 quay.io');
    expect(texts['etc/hosts']).not.toContain('192.168.0.250');
  });

  it('sets where short names are looked for only where nobody has', async () => {
    await using node = await bareNode({
      'etc/containers/registries.conf': 'unqualified-search-registries = ["quay.io"]\n',
    });
    await boot(node.path);
    const texts = await node.texts();
    expect([texts[SEARCH], texts[DROP_IN] !== undefined]).toEqual([undefined, true]);
  });

  it('takes its files away beside a registries.conf of version 1, with which all pulls would fail', async () => {
    await using node = await bareNode({
      'etc/containers/registries.conf': "[registries.search]\nregistries = ['docker.io']\n",
    });
    expect(await boot(node.path)).toContain('version 1');
    const texts = await node.texts();
    expect([texts[SEARCH], texts[DROP_IN]]).toEqual([undefined, undefined]);
    await writeFile(join(node.path, 'etc/containers/registries.conf'), '');
    expect(await boot(node.path)).toBe('');
    const later = await node.texts();
    expect([later[SEARCH] !== undefined, later[DROP_IN] !== undefined]).toEqual([true, true]);
  });
});

it.skipIf(shellcheck.missing)(`the boot script has nothing that shellcheck finds${shellcheck.why}`, async () => {
  expect(await must('shellcheck', ['-s', 'sh', '-'], { input: BOOT_SCRIPT })).toBe('');
});

function ended(text: string): string {
  return text.endsWith('\n') ? text : `${text}\n`;
}

async function bareNode(others: Readonly<Record<string, string>> = {}) {
  const directory = await temporaryDirectory('node');
  const at = (path: string) => join(directory.path, path);
  const write = async (
    files: readonly { readonly path: string; readonly content: string; readonly mode?: number }[],
  ) => {
    for (const { path, content, mode } of files) {
      await mkdir(dirname(at(path)), { recursive: true });
      await writeFile(at(path), content, mode === undefined ? {} : { mode });
    }
  };
  await write(bootFiles(REQUEST));
  await write(Object.entries(others).map(([path, content]) => ({ path, content })));
  const text = (path: string) => readFile(at(path), 'utf8');
  return {
    path: directory.path,
    write,
    text,
    block: async () => (await text('etc/spoofed-hosts')) + (await text('etc/private-reg/etc/hosts')),
    texts: async (): Promise<Readonly<Record<string, string>>> => {
      const list = await must('find', [directory.path, '-type', 'f', '-printf', '%P\\n']);
      const paths = list.split('\n').filter((path) => path !== '');
      return Object.fromEntries(await Promise.all(paths.map(async (path) => [path, await text(path)])));
    },
    [Symbol.asyncDispose]: () => directory[Symbol.asyncDispose](),
  };
}
