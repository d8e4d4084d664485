// Where a CA is put for docker, podman, containerd and the system; below a directory of the test.
import { chmodSync, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { newDirectory } from './testing/directory.ts';
import { installTrust, removeTrust, type TrustOptions, trustPlan, trustStateOf } from './trust-store.ts';

const CA = '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n';
const ALL = ['docker', 'containers', 'containerd', 'system'] as const;

async function planned(options: Partial<TrustOptions> = {}) {
  const root = options.root ?? newDirectory();
  const plan = await trustPlan({ certificate: CA, registries: ['registry.lan:5000'], clients: ALL, root, ...options });
  return { root, plan, paths: plan.files.map(({ path }) => relative(root, path)) };
}

function below(root: string): readonly string[] {
  return readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(root, join(entry.parentPath, entry.name)))
    .sort();
}

describe('trust in a CA', () => {
  it('is planned where each client looks', async () => {
    const { paths, plan } = await planned({ registries: ['registry.lan:5000', '[fd00::1]:5000'] });
    expect(paths).toEqual([
      'etc/docker/certs.d/registry.lan:5000/ca.crt',
      'etc/containers/certs.d/registry.lan:5000/ca.crt',
      'etc/containerd/certs.d/registry.lan:5000/ca.crt',
      'etc/containerd/certs.d/registry.lan:5000/hosts.toml',
      'etc/docker/certs.d/[fd00::1]:5000/ca.crt',
      'etc/containers/certs.d/[fd00::1]:5000/ca.crt',
      'etc/containerd/certs.d/[fd00::1]:5000/ca.crt',
      'etc/containerd/certs.d/[fd00::1]:5000/hosts.toml',
      // Debian's, where no system is to be seen.
      'usr/local/share/ca-certificates/images-registry.crt',
    ]);
    expect(plan.commands).toEqual([['update-ca-certificates']]);
  });

  it.each([
    ['usr/local/share/ca-certificates', ['update-ca-certificates'], ['update-ca-certificates', '--fresh']],
    ['etc/pki/ca-trust/source/anchors', ['update-ca-trust', 'extract'], ['update-ca-trust', 'extract']],
    ['etc/pki/trust/anchors', ['update-ca-certificates'], ['update-ca-certificates']],
  ])('of the whole system goes to /%s, with the commands that take notice', async (directory, command, after) => {
    const root = newDirectory();
    mkdirSync(join(root, directory), { recursive: true });
    const { paths, plan } = await planned({ root, clients: ['system'] });
    expect(paths).toEqual([`${directory}/images-registry.crt`]);
    expect([plan.commands, plan.commandsAfterRemoval]).toEqual([[command], [after]]);
  });

  it('is installed once, and removed with the directories that were made for it', async () => {
    const root = newDirectory();
    mkdirSync(join(root, 'usr/local/share/ca-certificates'), { recursive: true });
    mkdirSync(join(root, 'etc/docker/certs.d/other:5000'), { recursive: true });
    const { plan, paths } = await planned({ root });
    expect((await installTrust(plan)).length).toBe(plan.files.length);
    expect(await installTrust(plan)).toEqual([]);
    expect(below(root)).toEqual([...paths].sort());
    expect(readFileSync(join(root, paths[0] ?? ''), 'utf8')).toBe(CA);
    expect(readFileSync(join(root, 'etc/containerd/certs.d/registry.lan:5000/hosts.toml'), 'utf8')).toContain(
      'ca = "/etc/containerd/certs.d/registry.lan:5000/ca.crt"',
    );
    expect((await removeTrust(plan)).length).toBe(plan.files.length);
    expect(await removeTrust(plan)).toEqual([]);
    expect(below(root)).toEqual([]);
    expect(readdirSync(join(root, 'etc/docker/certs.d'))).toEqual(['other:5000']);
    expect(readdirSync(join(root, 'etc/containerd'))).toEqual([]);
    expect(readdirSync(join(root, 'usr/local/share/ca-certificates'))).toEqual([]);
  });

  it('is for everybody to read, whatever the umask is', async () => {
    const umask = process.umask(0o077);
    onTestFinished(() => void process.umask(umask));
    const { plan, root } = await planned({ clients: ['containers'] });
    await installTrust(plan);
    const modeOf = (path: string) => statSync(join(root, path)).mode & 0o777;
    expect(['etc', 'etc/containers/certs.d', 'etc/containers/certs.d/registry.lan:5000'].map(modeOf)).toEqual([
      0o755, 0o755, 0o755,
    ]);
    expect(modeOf('etc/containers/certs.d/registry.lan:5000/ca.crt')).toBe(0o644);
  });

  it.each([
    ['etc', 'a directory of this machine'],
    ['etc/docker', 'a directory of this machine'],
    ['etc/docker/certs.d/registry.lan:5000', 'what is not there'],
    ['etc/docker/certs.d/registry.lan:5000/ca.crt', 'what is not there'],
  ])('is not installed where %s of the root is a link that leads out, to %s', async (link, what) => {
    const { plan, root } = await planned({ clients: ['docker'] });
    const outside = newDirectory();
    mkdirSync(dirname(join(root, link)), { recursive: true });
    symlinkSync(what === 'what is not there' ? join(outside, 'none') : outside, join(root, link));
    for (const change of [installTrust, removeTrust]) {
      await expect(change(plan)).rejects.toMatchObject({
        code: 'CONFIG_INVALID',
        message: expect.stringContaining('a link leads out of'),
      });
    }
    expect(readdirSync(outside)).toEqual([]);
  });

  it('is installed behind links within the root', async () => {
    const { plan, root } = await planned({ clients: ['docker'] });
    mkdirSync(join(root, 'usr/etc'), { recursive: true });
    symlinkSync('usr/etc', join(root, 'etc'));
    await installTrust(plan);
    expect(readFileSync(join(root, 'usr/etc/docker/certs.d/registry.lan:5000/ca.crt'), 'utf8')).toBe(CA);
  });

  it('of another stays: nothing is written then, and removing leaves it', async () => {
    const { plan, root } = await planned({ clients: ['docker', 'containers'] });
    const [, second] = plan.files;
    if (!second) throw new Error('no file');
    mkdirSync(dirname(second.path), { recursive: true });
    writeFileSync(second.path, `${CA}${CA}`);
    expect(await trustStateOf(second)).toBe('different');
    await expect(installTrust(plan)).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringContaining(second.path),
    });
    expect(below(root)).toEqual([relative(root, second.path)]);
    expect(await removeTrust(plan)).toEqual([]);
    expect(readFileSync(second.path, 'utf8')).toBe(`${CA}${CA}`);
  });

  it('with a directory where its file should be is not installed', async () => {
    const { plan } = await planned({ clients: ['docker'] });
    for (const { path } of plan.files) mkdirSync(path, { recursive: true });
    await expect(installTrust(plan)).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
    expect(await removeTrust(plan)).toEqual([]);
  });

  it.skipIf(process.getuid?.() === 0)('that may not be written says so (skipped for root)', async () => {
    const { plan, root } = await planned({ clients: ['docker'] });
    chmodSync(root, 0o500);
    await expect(installTrust(plan)).rejects.toMatchObject({ code: 'NO_ACCESS' });
    chmodSync(root, 0o700);
  });

  it.each(['', '../x:5000', 'a/b', 'a:0', 'a:70000', 'a"b:1', 'a\n:1', '[a]:1', '[10.0.0.1]:1', 'fd00::1', 'a:1:2'])(
    'in %j is refused: it would become a path',
    async (registry) => {
      await expect(planned({ registries: [registry] })).rejects.toMatchObject({ code: 'USAGE' });
    },
  );
});
