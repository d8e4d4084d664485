import { chmod, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { temporaryWorld } from '../testing/temporary-world.ts';
import { registryService, type ServiceRequest } from './registry-service.ts';

/** A file system, and programs of systemd that only note how they were called. */
async function machine({ fails = '' } = {}) {
  const world = await temporaryWorld();
  const root = join(world.path, 'root');
  for (const name of ['systemctl', 'systemd-sysusers']) {
    await world.file(
      `bin/${name}`,
      `#!/bin/sh\necho "${name} $*" >> ${world.path}/called\n[ ${name} != "${fails}" ]\n`,
    );
    await chmod(join(world.path, 'bin', name), 0o755);
  }
  await world.file('root/etc/hostname', 'x\n');
  const settings = world.settings({ PATH: `${world.path}/bin:/usr/bin:/bin` });
  const request = { isSystem: true, listen: [], program: ['/usr/bin/node', '/opt/images.js'], root } as const;
  return {
    world,
    root,
    service: (more: Partial<ServiceRequest> & Pick<ServiceRequest, 'what'>, config?: string) =>
      registryService({ ...request, ...more }, { ...settings, ...(config !== undefined && { config }) }),
    called: async () => (await readFile(join(world.path, 'called'), 'utf8').catch(() => '')).split('\n').slice(0, -1),
    [Symbol.asyncDispose]: () => world[Symbol.asyncDispose](),
  };
}

describe('a registry as a service', () => {
  it('of the system has ports 80 and 443, with an own CA; removing it leaves nothing of it', async () => {
    await using here = await machine();
    const { files, toDo } = await here.service({ what: 'install' });
    expect(toDo).toEqual([]);
    expect(files).toHaveLength(4);
    const text = await readFile(join(here.root, 'etc/systemd/system/images.service'), 'utf8');
    expect(text).toContain('ExecStart=/usr/bin/node /opt/images.js serve --data=/var/lib/images --tls=auto\n');
    expect(await here.called()).toEqual([
      `systemd-sysusers --root=${here.root} images.conf`,
      `systemctl --root=${here.root} enable images.socket images-https.socket images.service`,
    ]);
    expect(await here.service({ what: 'remove' })).toMatchObject({ files: { length: 4 }, toDo: [] });
    expect(await readdir(join(here.root, 'etc/systemd/system'))).toEqual([]);
    expect((await here.called()).at(-1)).toBe(
      `systemctl --root=${here.root} disable images.service images.socket images-https.socket`,
    );
    expect(await here.service({ what: 'remove' })).toEqual({ files: [], done: [], toDo: [] });
  });

  it('listens where it is said, else where its configuration says; what is not wanted any more goes', async () => {
    await using here = await machine();
    await here.service({ what: 'install' });
    const config = await here.world.file('registry.toml', 'listen = ["10.0.0.1:5000"]\n');
    const { files } = await here.service({ what: 'install' }, join(here.world.path, 'registry.toml'));
    expect(config).not.toBe('');
    expect(files.map(({ path }) => path.slice(here.root.length))).toEqual([
      '/etc/systemd/system/images.service',
      '/etc/systemd/system/images.socket',
      '/etc/sysusers.d/images.conf',
    ]);
    expect(files[1]?.text).toContain('ListenStream=10.0.0.1:5000\n');
    expect(files[0]?.text).toContain(` --config=${join(here.world.path, 'registry.toml')}\n`);
    expect(await readdir(join(here.root, 'etc/systemd/system'))).toEqual(['images.service', 'images.socket']);
    const said = await here.service({ what: 'print', listen: [':8080'], proxy: [], isAudited: true });
    expect(said.files[1]?.text).toContain('ListenStream=8080\n');
    expect(said.files[0]?.text).toContain('serve --data=/var/lib/images --audit --proxy\n');
  });

  it('tells what somebody has to run if systemd does not', async () => {
    await using here = await machine({ fails: 'systemd-sysusers' });
    const { toDo } = await here.service({ what: 'install' });
    expect(toDo).toHaveLength(2);
    expect(await here.called()).toHaveLength(1);
  });

  it('touches no unit of others, and knows what it cannot do', async () => {
    await using here = await machine();
    await here.world.file('root/etc/systemd/system/images.service', '[Service]\n');
    for (const what of ['install', 'remove'] as const)
      await expect(here.service({ what })).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
    await expect(here.service({ what: 'print', isSystem: false })).rejects.toThrow(
      'a service of a user is in the home',
    );
    const own = await here.service({ what: 'print', isSystem: false, root: '/' });
    expect(own.files.map(({ path }) => path)).toEqual([
      expect.stringMatching(/\/systemd\/user\/images\.service$/),
      expect.stringMatching(/\/systemd\/user\/images\.socket$/),
    ]);
    expect(own.files[1]?.text).toContain('ListenStream=127.0.0.1:5000\n');
  });
});
