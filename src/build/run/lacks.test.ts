import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { needs } from '../../../test/peers/find.ts';
import { run } from '../../../test/peers/process.ts';
import { type TemporaryDirectory, temporaryDirectory } from '../../../test/peers/temporary.ts';
import { firstFreeId } from './ids.ts';
import { missingPrograms, moreIds, tarLack, whyNoNamespace } from './lacks.ts';
import { foreignLack } from './probe.ts';
import { findPrograms, type Programs } from './programs.ts';

/** A machine with these settings files. */
const settings =
  (files: Readonly<Record<string, string>>) =>
  async (path: string): Promise<string | undefined> =>
    files[path];

const without = (...names: readonly string[]): Programs => {
  const real = findPrograms(process.env.PATH ?? '');
  return { path: real.path, find: async (name) => (names.includes(name) ? undefined : real.find(name)) };
};

describe('what a machine lacks', () => {
  it.each([
    ['/proc/sys/kernel/unprivileged_userns_clone', '0\n', 'sudo sysctl -w kernel.unprivileged_userns_clone=1'],
    ['/proc/sys/user/max_user_namespaces', '0\n', 'sudo sysctl -w user.max_user_namespaces=15000'],
    [
      '/proc/sys/kernel/apparmor_restrict_unprivileged_userns',
      '1\n',
      'sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0',
    ],
    ['/.dockerenv', '', 'seccomp=unconfined'],
  ])('is recognised from %s', async (file, content, mend) => {
    const lack = await whyNoNamespace('Operation not permitted', settings({ [file]: content }));
    expect(lack.mend).toContain(mend);
  });

  it('is quoted from unshare if nothing explains it', async () => {
    expect((await whyNoNamespace('unshare failed: Oops', settings({}))).what).toContain('[unshare failed: Oops]');
  });

  it('may be a program: the hint names its package', async () => {
    expect(await missingPrograms(without())).toEqual([]);
    expect(await missingPrograms(without('unshare', 'tar'))).toEqual([
      { what: 'there is no program [unshare]', mend: 'Install it: sudo apt install util-linux' },
      { what: 'there is no program [tar]', mend: 'Install it: sudo apt install tar' },
    ]);
  });

  it('may be ids: one command adds as many as are needed', () => {
    const user = { name: 'me', uid: 1000 };
    expect(moreIds({ user, firstFree: 100_000 })).toBe(
      'Give the user subordinate ids: sudo usermod --add-subuids 100000-165535 --add-subgids 100000-165535 me',
    );
    expect(moreIds({ user, firstFree: 100_000 }, 100_001)).toContain('100000-200000 me');
  });

  it('may be ids: the hint proposes some that nobody else has', () => {
    expect(firstFreeId([])).toBe(100_000);
    const given = [
      { first: 165_536, count: 65_536 },
      { first: 100_000, count: 65_536 },
    ];
    const firstFree = firstFreeId(given);
    expect(moreIds({ user: { name: 'me', uid: 1000 }, firstFree })).toContain('--add-subuids 231072-296607 ');
  });

  it('may be an emulator for programs of another architecture', async () => {
    expect(await foreignLack(process.arch === 'x64' ? 'amd64' : process.arch)).toBeUndefined();
    expect((await foreignLack('no-such-machine'))?.mend).toContain('qemu-user-static');
  });
});

const { missing, why } = needs('root', 'setpriv', 'unshare', 'busybox');

describe.skipIf(missing)(`RUN where it is impossible${why}`, () => {
  let directory: TemporaryDirectory;
  beforeAll(async () => {
    directory = await temporaryDirectory('lacks');
    await chmod(directory.path, 0o777);
  });
  afterAll(() => directory[Symbol.asyncDispose]());

  const probed = async (settingsText: string, shell: string): Promise<unknown> => {
    const folder = join(directory.path, crypto.randomUUID());
    await mkdir(folder);
    await chmod(folder, 0o777);
    const module = join(import.meta.dirname, 'create-run-machine.ts');
    const script = `const { createRunMachine } = await import('${module}');
      const machine = createRunMachine({ directory: '${folder}/d', path: process.env.PATH, ${settingsText} });
      const seen = await machine.probe();
      const error = await machine.check({ os: 'linux', architecture: 'amd64' }).then(() => undefined, ({ code, message, hint }) => ({ code, message, hint }));
      console.log(JSON.stringify({ seen, error }));`;
    await writeFile(join(folder, 'probe.mjs'), script);
    const { stdout, stderr } = await run('sh', ['-ec', `${shell} ${process.execPath} ${folder}/probe.mjs`], {
      cwd: '/',
    });
    return JSON.parse(stdout || JSON.stringify(stderr));
  };

  it('says so before anything runs: no user namespaces', async () => {
    // The limit applies to this user namespace only: the machine's is not changed.
    const nobody = 'setpriv --reuid 65534 --regid 65534 --clear-groups';
    const shell = `exec ${nobody} unshare -Ur sh -ec 'echo 0 >/proc/sys/user/max_user_namespaces; exec setpriv --bounding-set=-sys_admin "$@"' sh`;
    expect(await probed('', shell)).toEqual({
      seen: {
        possible: false,
        lacks: [
          {
            what: expect.stringContaining('user.max_user_namespaces = 0'),
            mend: 'sudo sysctl -w user.max_user_namespaces=15000',
          },
        ],
      },
      error: {
        code: 'RUN_UNAVAILABLE',
        message: expect.stringContaining('RUN is not possible here: '),
        hint: 'sudo sysctl -w user.max_user_namespaces=15000',
      },
    });
  });

  it('says so before anything runs: no runtime that works, with what each said', async () => {
    const bin = join(directory.path, 'bin');
    await mkdir(bin);
    await writeFile(join(bin, 'crun'), '#!/bin/sh\necho crun: it is broken >&2\nexit 1\n', { mode: 0o755 });
    await chmod(join(bin, 'crun'), 0o755);
    const shell = `PATH=${bin}:$PATH exec setpriv --reuid 65534 --regid 65534 --clear-groups`;
    expect(await probed("runtime: 'crun'", shell)).toMatchObject({
      seen: { possible: false, lacks: [{ what: 'crun does not work here [crun: it is broken]' }] },
    });
  });

  it('passes over a runtime that is broken', async () => {
    const shell = `PATH=${join(directory.path, 'bin')}:$PATH exec setpriv --reuid 65534 --regid 65534 --clear-groups`;
    expect(await probed('', shell)).toMatchObject({
      seen: { possible: true, machine: { owners: 'one', overlay: true } },
    });
  });

  it('names a tar that cannot store extended attributes', async () => {
    const bin = join(directory.path, 'busybox');
    await mkdir(bin);
    await writeFile(join(bin, 'tar'), '#!/bin/sh\nexec busybox tar "$@"\n');
    await chmod(join(bin, 'tar'), 0o755);
    expect(await tarLack(findPrograms(`${bin}:${process.env.PATH}`))).toMatchObject({
      mend: 'Install GNU tar: sudo apt install tar',
    });
    expect(await tarLack(findPrograms(process.env.PATH ?? ''))).toBeUndefined();
  });
});
