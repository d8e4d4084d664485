import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { servedTls } from '../../tasks/private-registry/served-tls.ts';
import { testProgram } from '../testing/program.ts';

/** With the CA that `--tls=auto` makes, and a root in which podman is at home. */
async function withAuthority() {
  const program = await testProgram();
  const tls = await servedTls({ data: program.data, names: () => [], tls: 'auto', onNotice: undefined });
  tls?.[Symbol.dispose]();
  const root = join(program.world.path, 'root');
  await mkdir(join(root, 'etc/containers'), { recursive: true });
  return { ...program, root };
}

it('lreg_ca prints the certificate of the own CA', async () => {
  const { must } = await withAuthority();
  expect(await must('lreg_ca')).toMatch(/^-----BEGIN CERTIFICATE-----\n[\s\S]+-----END CERTIFICATE-----\n$/);
});

it('lreg_ca says which files it would write, has written and has removed, and who reads them', async () => {
  const { must, noted, root } = await withAuthority();
  const change = async (...options: readonly string[]) => {
    expect(await must('lreg_ca', `--root=${root}`, 'r.lan:443', ...options)).toBe('');
    return noted();
  };
  const what = `${root}/etc/containers/certs.d/r.lan:443/ca.crt (podman, buildah, skopeo, CRI-O)`;
  expect(await change('--install', '--dry-run')).toEqual([`Would write: ${what}`]);
  expect(await change('--install')).toEqual([`Written: ${what}`]);
  expect(await change('--install')).toEqual(['There is nothing to do.']);
  expect(await change('--remove', '--dry-run')).toEqual([`Would remove: ${what}`]);
  expect(await change('--remove')).toEqual([`Removed: ${what}`]);
});

it('lreg_ca says how clients that are not there yet get it', async () => {
  const { must, noted, world } = await withAuthority();
  const root = join(world.path, 'overlay');
  await mkdir(root);
  await must('lreg_ca', '--install', `--root=${root}`, 'r.lan:443');
  expect(noted()).toEqual([
    `None of these clients is in ${root}. For those that will be: --client=docker,containers,containerd,system`,
  ]);
  await must('lreg_ca', '--install', `--root=${root}`, '--client=docker', 'r.lan:443');
  expect(noted()).toContain(`Written: ${root}/etc/docker/certs.d/r.lan:443/ca.crt (docker)`);
});

it('lreg_ca says which commands are left to be run in another root', async () => {
  const { must, noted, root } = await withAuthority();
  await mkdir(join(root, 'usr/local/share/ca-certificates'), { recursive: true });
  await must('lreg_ca', '--install', `--root=${root}`, '--client=system', 'r.lan:443');
  expect(noted()).toContain('To be run there: update-ca-certificates');
});

it.each([
  [['--install', '--remove'], 'either --install or --remove'],
  [['--install', '--client=safari'], 'unknown client [--client=safari]'],
])('lreg_ca refuses %j', async (options, message) => {
  const { run } = await withAuthority();
  await expect(run('lreg_ca', ...options)).rejects.toMatchObject({ code: 'USAGE', message });
});
