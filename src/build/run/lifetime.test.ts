import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { needs } from '../../../test/peers/find.ts';
import { must, until } from '../../../test/peers/process.ts';
import type { RuntimeName } from './contract.ts';
import { listLayer, type RunWorld, type Who } from './testing/world.ts';
import { USERS, worldForAll } from './testing/world-for-all.ts';

const { missing, why } = needs('root', 'busybox', 'newuidmap', 'useradd', 'setpriv');
const RUNTIMES: readonly RuntimeName[] = ['crun', 'runc', 'bwrap', 'unshare'];

/** The command lines that contain the mark. */
async function running(mark: string): Promise<readonly string[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const lines = await Promise.all(pids.map((pid) => readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')));
  return lines.filter((line) => line.includes(mark));
}

describe.skipIf(missing)(`how a RUN ends${why}`, () => {
  let world: RunWorld;
  const { who } = worldForAll((made) => (world = made));
  const namesIn = async (user: Who, kind: string): Promise<readonly string[]> => {
    const runner = join(await world.home(user), 'runner');
    const keys = (await readdir(runner)).filter((name) => /^(?:all|many|one)-/.test(name));
    return (await Promise.all(keys.map((key) => readdir(join(runner, key, kind))))).flat();
  };

  describe.each(USERS)('as %s', (title) => {
    it.each(RUNTIMES.filter((name) => !needs(name).missing))(
      'an abort kills all that runs, also what does not listen, with %s',
      async (runtime) => {
        const mark = `86400.${Math.floor(Math.random() * 1e9)}`;
        const script = `trap '' TERM INT; (sleep ${mark} &) ; setsid sleep ${mark} & echo up; sleep ${mark}`;
        const request = { args: ['/bin/sh', '-c', script] };
        const done = await world.drive(who(title), {
          layers: [world.busybox],
          request,
          abortWhenPrinted: 'up',
          settings: { runtime },
        });
        expect(done.error?.code).toBe('ABORTED');
        expect(await running(mark)).toEqual([]);
        expect(await namesIn(who(title), 'runs')).toEqual([]);
      },
    );

    it.each(RUNTIMES.filter((name) => !needs(name).missing))(
      'kill -9 of the builder leaves no process, no mount, no cgroup; the next one cleans up, with %s',
      async (runtime) => {
        const user = who(title);
        const mark = `86400.${Math.floor(Math.random() * 1e9)}`;
        const script = `trap '' TERM INT; mkdir -p /x/y; chown 1:1 /x 2>/dev/null; chmod 0 /x; (setsid sleep ${mark} &) ; echo up; sleep ${mark}`;
        const directory = join(await world.home(user), 'runner');
        const cgroups = await must('find', ['/sys/fs/cgroup', '-type', 'd', '-name', 'build*']);
        const begun = await world.begin(user, {
          layers: [world.busybox],
          request: { args: ['/bin/sh', '-c', script] },
          settings: { directory, runtime },
        });
        await until(async () => begun.output().includes('up'));
        expect((await running(mark)).length).toBeGreaterThan(1);
        begun.kill('SIGKILL');
        await begun.ended;
        await until(async () => (await running(mark)).length === 0);
        await until(async () => !(await readFile('/proc/self/mounts', 'utf8')).includes(directory));
        expect(await must('find', ['/sys/fs/cgroup', '-type', 'd', '-name', 'build*'])).toBe(cgroups);
        expect(await namesIn(user, 'runs')).toHaveLength(1);
        await world.drive(user, { layers: [world.busybox], request: { args: ['/bin/true'] }, settings: { directory } });
        expect(await namesIn(user, 'runs')).toEqual([]);
      },
    );

    it('several at once unpack a layer once', async () => {
      const user = who(title);
      const fresh = await world.archive(
        `fresh-${user.owners}`,
        'mkdir bin; cp /bin/busybox bin/; ln -s busybox bin/sh; seq 1 200000 >big',
      );
      const before = (await namesIn(user, 'snapshots')).length;
      const all = await Promise.all(
        [1, 2, 3].map(() => world.drive(user, { layers: [fresh], request: { args: ['/bin/sh', '-c', 'echo x >f'] } })),
      );
      for (const { status, layer } of all) {
        expect(status).toBe(0);
        expect(await listLayer(layer)).toEqual(['f file 644 0:0 x']);
      }
      expect(await namesIn(user, 'snapshots')).toHaveLength(before + 1);
      await until(async () => (await namesIn(user, 'stage')).length === 0);
    });

    it('a builder that is killed while it unpacks leaves no half layer that another one would use', async () => {
      const user = who(title);
      const large = await world.archive(
        `large-${user.owners}`,
        'mkdir bin; cp /bin/busybox bin/; ln -s busybox bin/sh; for i in $(seq 1 3000); do echo $i >f$i; done; head -c 60000000 /dev/zero >zeros',
      );
      const spec = { layers: [large], request: { args: ['/bin/sh', '-c', 'ls / | grep -c ^f'] } };
      const directory = join(await world.home(user), 'runner');
      const begun = await world.begin(user, { ...spec, settings: { directory } });
      await until(async () => (await namesIn(user, 'stage')).length > 0);
      await delay(30);
      begun.kill('SIGKILL');
      await begun.ended;
      expect((await world.drive(user, spec)).output).toBe('3000\n');
      await until(async () => (await namesIn(user, 'stage')).length === 0);
    });
  });
});
