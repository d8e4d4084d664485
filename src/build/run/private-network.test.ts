import type { ChildProcess } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findProgram, needs } from '../../../test/peers/find.ts';
import { start, until } from '../../../test/peers/process.ts';
import type { RuntimeName } from './contract.ts';
import { newRunWorld, provideUsers, type RunWorld, type Users, type Who } from './testing/world.ts';

const { missing, why } = needs('root', 'busybox', 'newuidmap', 'useradd', 'setpriv', 'ip', 'nsenter');
const RUNTIMES: readonly RuntimeName[] = ['crun', 'runc', 'bwrap', 'unshare'];

/** The network of a machine, in a namespace: its own address, with a server there and one on loopback. */
const MACHINE = `
ip link set lo up
ip link add v0 type veth peer name v1
ip addr add 198.51.100.7/24 dev v0; ip link set v0 up; ip link set v1 up; ip route add default via 198.51.100.1 dev v0
cd "$1"; echo served >f
busybox httpd -p 198.51.100.7:8080 -h .
busybox httpd -p 127.0.0.1:8081 -h .
echo up; exec sleep 600`;

/** Prints one line for each address: what its server answers, or that there is none. */
const ASK = `for to in 198.51.100.7:8080 127.0.0.1:8081 10.0.2.2:8081; do
  printf 'GET /f HTTP/1.0\\r\\n\\r\\n' | timeout 5 nc \${to%:*} \${to#*:} 2>/dev/null | tail -1 | grep . || echo nothing
done`;

describe.skipIf(missing)(`RUN with a private network${why}`, () => {
  let world: RunWorld;
  let users: Users;
  let machine: ChildProcess;
  const drive = (
    title: string,
    script: string,
    { before = [], ...more }: { before?: string[]; settings?: object } = {},
  ) =>
    world.drive(
      users.all.find((user) => user.title === title) as Who,
      {
        layers: [world.busybox],
        ...more,
        request: { args: ['/bin/sh', '-c', script], network: 'private' },
      },
      ['nsenter', `--net=/proc/${machine.pid}/ns/net`, ...before],
    );
  /** Runs a command in a mount namespace in which the program is not executable. */
  const without = (name: string): string[] => {
    const hide = `mount -o bind /dev/null ${findProgram(name)} && exec "$@"`;
    return findProgram(name) ? ['unshare', '-m', 'sh', '-c', hide, 'sh'] : [];
  };

  beforeAll(async () => {
    [world, users] = [await newRunWorld(), await provideUsers()];
    const www = join(world.path, 'www');
    await mkdir(www);
    await writeFile(join(world.path, 'machine'), MACHINE);
    machine = start('unshare', ['-n', '-p', '-f', '--kill-child', 'sh', '-e', join(world.path, 'machine'), www], {
      cwd: '/',
    });
    let said = '';
    machine.stdout?.on('data', (chunk: Buffer) => (said += chunk.toString()));
    await until(async () => said.includes('up'));
  });
  afterAll(async () => {
    machine?.kill();
    await users?.[Symbol.asyncDispose]();
    await world?.[Symbol.asyncDispose]();
  });

  it.skipIf(needs('slirp4netns').missing).each(RUNTIMES.filter((name) => !needs(name).missing))(
    'reaches the outside, and nothing of this machine, with %s',
    async (runtime) => {
      const settings = { runtime, resolvConf: 'nameserver 192.0.2.1\nsearch example.org\n' };
      const { output, status, error } = await drive('root', `${ASK}; cat /etc/resolv.conf; exit 3`, { settings });
      expect({ output, status, error }).toEqual({
        output: 'served\nnothing\nnothing\nnameserver 10.0.2.3\nsearch example.org\n',
        status: 3,
        error: undefined,
      });
    },
  );

  it.skipIf(needs('pasta').missing)('is connected by pasta if slirp4netns is missing', async () => {
    const script =
      'ip route | grep -c default; cat /etc/resolv.conf; nc 127.0.0.1 8081 </dev/null 2>/dev/null || echo shut';
    const settings = { resolvConf: 'nameserver 192.0.2.1\n' };
    const { output, error } = await drive('root', script, { settings, before: without('slirp4netns') });
    expect({ output, error }).toEqual({ output: '1\nnameserver 169.254.1.1\nshut\n', error: undefined });
  });

  it('fails, and says what to install, if no program can connect it', async () => {
    const before = [...without('slirp4netns'), ...without('pasta')];
    expect((await drive('root', 'true', { before })).error).toEqual({
      code: 'RUN_UNAVAILABLE',
      message: 'RUN is not possible here: nothing here connects a private network [slirp4netns, pasta]',
      hint: 'Install one: sudo apt install slirp4netns',
    });
  });

  it.skipIf(needs('slirp4netns').missing)('an unprivileged user has it too, or learns what forbids it', async () => {
    const device = (mode: string): string[] => {
      const path = join(world.path, `tun-${crypto.randomUUID()}`);
      const script = `mknod -m ${mode} ${path} c 10 200; mount -o bind ${path} /dev/net/tun; exec "$@"`;
      return ['unshare', '-m', 'sh', '-ec', script, 'sh'];
    };
    for (const title of ['a user with subordinate ids', 'nobody']) {
      const open = await drive(title, ASK, { before: device('0666') });
      expect({ title, output: open.output, error: open.error }).toEqual({
        title,
        output: 'served\nnothing\nnothing\n',
        error: undefined,
      });
      expect((await drive(title, ASK, { before: device('0600') })).error).toMatchObject({
        code: 'RUN_UNAVAILABLE',
        message: expect.stringContaining('/dev/net/tun'),
      });
    }
  });
});
