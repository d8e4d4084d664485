import { mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { temporaryWorld } from '../testing/temporary-world.ts';
import { servedTls } from './served-tls.ts';
import { changeTrust, registryAuthority } from './trust-registry.ts';

it('clients trust the own CA of a registry once it is installed, those that are there and no others', async () => {
  await using world = await temporaryWorld();
  const data = join(world.path, 'store');
  const settings = world.settings({}, { data });
  await expect(registryAuthority(settings)).rejects.toMatchObject({ code: 'NO_REGISTRY' });
  using _tls = await servedTls({ data, names: () => [], tls: 'auto', onNotice: undefined });
  const root = join(world.path, 'root');
  await mkdir(join(root, 'etc/containers'), { recursive: true });
  await mkdir(join(root, 'usr/local/share/ca-certificates'), { recursive: true });
  const request = { registries: ['registry.lan:443'], clients: [], root, what: 'install' } as const;
  const own = join(root, 'etc/containers/certs.d/registry.lan:443/ca.crt');
  const system = join(root, 'usr/local/share/ca-certificates/images-registry.crt');
  const paths = ({ files }: Awaited<ReturnType<typeof changeTrust>>) => files.map(({ path }) => path);
  expect(paths(await changeTrust({ ...request, isDryRun: true }, settings))).toEqual([own, system]);
  await expect(stat(own)).rejects.toMatchObject({ code: 'ENOENT' });
  const installed = await changeTrust(request, settings);
  expect(paths(installed)).toEqual([own, system]);
  // The commands of another file system are not run here.
  expect(installed.commands).toEqual(['update-ca-certificates']);
  expect(await readFile(own, 'utf8')).toBe(await registryAuthority(settings));
  expect(await changeTrust(request, settings)).toEqual({ files: [], others: [], commands: [], isNobodyThere: false });
  expect(paths(await changeTrust({ ...request, what: 'remove', clients: ['containers'] }, settings))).toEqual([own]);
  const removed = await changeTrust({ ...request, what: 'remove' }, settings);
  expect([paths(removed), removed.commands]).toEqual([[system], ['update-ca-certificates --fresh']]);
  await writeFile(system, 'of an earlier CA');
  expect(await changeTrust({ ...request, what: 'remove' }, settings)).toMatchObject({ files: [], others: [system] });
});

it('a client that is named gets the CA also in a file system without it, as in an overlay of a VM; nobody else does', async () => {
  await using world = await temporaryWorld();
  const settings = world.settings({}, { data: world.path });
  using _tls = await servedTls({ data: world.path, names: () => [], tls: 'auto', onNotice: undefined });
  const root = join(world.path, 'overlay');
  await expect(
    changeTrust({ registries: ['registry.lan:443'], clients: [], root, what: 'install' }, settings),
  ).rejects.toMatchObject({ code: 'USAGE' });
  await mkdir(root);
  const request = { registries: ['registry.lan:443'], clients: [], root, what: 'install' } as const;
  for (const isDryRun of [true, false]) {
    const nothing = { files: [], others: [], commands: [], isNobodyThere: true };
    expect(await changeTrust({ ...request, isDryRun }, settings)).toEqual(nothing);
  }
  const { files, commands } = await changeTrust({ ...request, clients: ['docker', 'system'] }, settings);
  expect(files.map(({ path }) => path)).toEqual([
    join(root, 'etc/docker/certs.d/registry.lan:443/ca.crt'),
    join(root, 'usr/local/share/ca-certificates/images-registry.crt'),
  ]);
  expect(commands).toEqual(['update-ca-certificates']);
  expect(await readFile(files[0]?.path ?? '', 'utf8')).toBe(await registryAuthority(settings));
  expect((await changeTrust({ ...request, what: 'remove' }, settings)).files).toHaveLength(2);
});

it('the address of a registry has to be named if none runs with HTTPS', async () => {
  await using world = await temporaryWorld();
  const settings = world.settings({}, { data: world.path });
  using _tls = await servedTls({ data: world.path, names: () => [], tls: 'auto', onNotice: undefined });
  const request = { registries: [], clients: [], root: world.path, what: 'install' } as const;
  await expect(changeTrust(request, settings)).rejects.toMatchObject({ code: 'USAGE' });
});

it('what a CA that has gone had installed is said to be removed by hand', async () => {
  await using world = await temporaryWorld();
  const settings = world.settings({}, { data: world.path });
  const request = { registries: ['registry.lan:443'], clients: [], root: world.path } as const;
  await expect(changeTrust({ ...request, what: 'remove' }, settings)).rejects.toMatchObject({
    code: 'NO_REGISTRY',
    hint: expect.stringContaining(`by hand: ca.crt and hosts.toml in certs.d/HOST:PORT below ${world.path}/etc`),
  });
  await expect(changeTrust({ ...request, what: 'install' }, settings)).rejects.toMatchObject({
    code: 'NO_REGISTRY',
    hint: expect.stringContaining('first started'),
  });
});
