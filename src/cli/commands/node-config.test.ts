import { mkdir, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { testProgram } from '../testing/program.ts';

const AT = ['node_config', '--registry=10.0.0.1'];

describe('node_config', () => {
  it('prints files, one text for a machine that boots, and JSON', async () => {
    const { must, noted } = await testProgram();
    expect(await must(...AT, '--runtime=podman')).toMatch(
      /^=== \/etc\/containers\/registries\.conf\.d\/50-private-reg\.conf\n/,
    );
    expect(await must(...AT, '--format=cloud-init')).toMatch(/^#cloud-config\n/);
    expect(noted()).toEqual([]);
    const { hosts, files } = JSON.parse(await must(...AT, '--json', '--host=r.example', '--runtime=docker'));
    expect([hosts.includes('r.example'), files.map(({ path }: { path: string }) => path)]).toEqual([
      true,
      ['etc/docker/daemon.json'],
    ]);
    expect(noted()).toEqual([expect.stringContaining('--spoof')]);
    expect(JSON.parse(await must(...AT, '--json', '--format=butane')).text).toContain('variant: fcos');
  });

  it('writes below a directory, as a tar, and as a file', async () => {
    const { must, noted, world } = await testProgram();
    await must(...AT, `--output=${world.path}/node`, '--runtime=k3s,rke2');
    expect(noted()).toEqual([`2 files: ${world.path}/node`]);
    expect(await readdir(join(world.path, 'node/etc/rancher'))).toEqual(['k3s', 'rke2']);
    await must(...AT, `--output=${world.path}/node.tar`);
    expect((await readFile(join(world.path, 'node.tar'))).subarray(257, 262).toString()).toBe('ustar');
    await must(...AT, `--output=${world.path}/user-data`, '--format=cloud-init');
    expect(await readFile(join(world.path, 'user-data'), 'utf8')).toMatch(/^#cloud-config\n/);
  });

  it('refuses what it does not know, and what does not go together', async () => {
    const { run } = await testProgram();
    for (const option of ['--runtime=lxc', '--format=x', '--apply --remove', '--apply --output=x'])
      await expect(run(...AT, ...option.split(' '))).rejects.toMatchObject({ code: 'USAGE' });
  });

  it('shows what it would change, changes it, and undoes it', async () => {
    const { run, must, noted, world } = await testProgram();
    const apply = [...AT, '--runtime=docker', `--root=${world.path}/root`];
    await expect(run(...apply, '--apply')).rejects.toMatchObject({ code: 'USAGE' });
    await mkdir(join(world.path, 'root'));
    await must(...apply, '--apply', '--dry-run');
    const what = ['Write: /etc/docker/daemon.json', 'To be run there: systemctl reload docker'];
    expect(noted().slice(-2)).toEqual(what);
    await expect(run(...apply, '--apply')).rejects.toMatchObject({ code: 'USAGE' });
    noted();
    await must(...apply, '--apply', '--yes');
    expect(noted()).toEqual(what);
    expect(JSON.parse(await must(...apply, '--apply', '--yes', '--json'))).toEqual({ changes: [], commands: [] });
    noted();
    await must(...apply, '--remove', '--yes');
    expect(noted()[0]).toBe('Remove: /etc/docker/daemon.json');
    await world.file('root/etc/docker/daemon.json', '[]');
    expect(await run(...apply, '--apply', '--yes')).toBe(1);
    expect(noted()).toEqual([
      'Stays as it is: /etc/docker/daemon.json (it is not a JSON object)',
      'There is nothing to do.',
    ]);
  });
});

describe('node_check', () => {
  it('prints what each runtime asks, and the next step for what is wrong', async () => {
    const { run, printed, noted, world } = await testProgram();
    const mirror = '|{"registry-mirrors":["http://10.0.0.1:80"]}';
    const answer = (text: string) => world.script('node', `cat >/dev/null; printf '${text}@ end\\n'`);
    const exec = await answer(
      `@ program dockerd Docker 27\\n@ file /etc/docker/daemon.json\\n${mirror}\\n@ unreadable /x\\n`,
    );
    const check = (...more: readonly string[]) => run('node_check', '--registry=10.0.0.1', `--exec=${exec}`, ...more);
    expect(await check()).toBe(1);
    expect(printed()).toMatch(
      /^docker: Docker 27\n {2}reads \/etc\/docker\/daemon\.json\n {2}docker\.io → http:\/\/10\.0\.0\.1:80, /,
    );
    expect(noted()).toEqual(['Cannot be read: /x', '1 problem.']);
    expect(await check('--json')).toBe(1);
    expect(JSON.parse(printed())).toMatchObject({ ok: false, runtimes: [{ runtime: 'docker' }] });
    await answer('');
    expect(await check()).toBe(0);
    expect(noted()).toEqual(['There is no runtime.']);
  });
});
