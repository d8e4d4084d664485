import { describe, expect, it } from 'vitest';
import { needs } from '../../../test/peers/find.ts';
import type { RuntimeName } from './contract.ts';
import { listLayer } from './testing/world.ts';
import { USERS, worldForAll } from './testing/world-for-all.ts';

const { missing, why } = needs('root', 'busybox', 'newuidmap', 'useradd', 'setpriv');
const RUNTIMES: readonly RuntimeName[] = ['crun', 'runc', 'bwrap', 'unshare'];

/** Every kind of change for which overlayfs has a special format. */
const CHANGES = `
set -e
echo more >>/d/x; rm /d/y; touch /d/sub/s
mkdir /new; echo n >/new/n; ln /new/n /new/m; ln -s ../d /new/l; mkfifo /new/p
rm -r /old; mkdir /old; echo o2 >/old/o2
rm /link; mkdir /link; echo l >/link/l
chmod 700 /tmp
`;

describe.skipIf(missing)(`RUN${why}`, () => {
  const { who, sh } = worldForAll();

  describe.each(USERS)('as %s', (title) => {
    describe.each(RUNTIMES)('with %s', (runtime) => {
      const { missing: absent, why: because } = needs(runtime);
      const settings = { runtime };

      it.skipIf(absent)(`gives what has changed as a layer, and nothing else${because}`, async () => {
        const { status, layer, output, error } = await sh(title, CHANGES, { settings });
        expect({ status, output, error }).toEqual({ status: 0, output: '', error: undefined });
        const owner = '0:0';
        expect(await listLayer(layer)).toEqual([
          `d/ directory 755 ${owner}`,
          `d/sub/ directory 755 ${owner}`,
          `d/sub/s file 644 ${owner} s`,
          `d/x file 644 ${owner} x\nmore`,
          `d/.wh.y file 0 ${owner}`,
          `link/ directory 755 ${owner}`,
          `link/l file 644 ${owner} l`,
          `new/ directory 755 ${owner}`,
          `new/l symlink 777 ${owner} ../d`,
          `new/m file 644 ${owner} n`,
          `new/n hardlink 644 ${owner} new/m`,
          `new/p fifo 644 ${owner}`,
          `old/ directory 755 ${owner}`,
          `old/.wh..wh..opq file 0 ${owner}`,
          `old/o2 file 644 ${owner} o2`,
          `tmp/ directory 700 ${owner}`,
        ]);
      });

      it.skipIf(absent)(
        `shuts the command in: processes, host name, devices, nothing on stdin, its own environment${because}`,
        async () => {
          const script =
            'echo $$ $(ls -d /proc/[0-9]* | wc -l) $(hostname) $(pwd); cat; env | sort; id -u; ls /dev; echo x >/dev/null; [ ! -e /proc/1/root/work ]; exit 7';
          const env = ['PATH=/bin', 'A=a b', 'Q=\'"$x'];
          const { status, output, layer } = await sh(title, script, {
            settings,
            request: { env, directory: '/home/u/made/here' },
          });
          const [first, ...rest] = output.trim().split('\n');
          expect(first).toMatch(/^[12] \d buildkitsandbox \/home\/u\/made\/here$/);
          expect(rest.filter((line) => !/^(?:PWD|SHLVL|_|OLDPWD)=/.test(line))).toEqual([
            'A=a b',
            'HOME=/root',
            'PATH=/bin',
            'Q=\'"$x',
            '0',
            'fd',
            'full',
            'null',
            'ptmx',
            'pts',
            'random',
            'shm',
            'stderr',
            'stdin',
            'stdout',
            'tty',
            'urandom',
            'zero',
          ]);
          expect(status).toBe(7);
          expect(layer).toBeDefined();
        },
      );

      it.skipIf(absent)(`has standard streams that can be opened again by their names${because}`, async () => {
        const script = `echo 1; echo 2 >/dev/stderr; echo 3 >/dev/stdout; echo 4 >/proc/self/fd/2; echo 5 | tee /dev/stderr >/dev/null
          ln -s /dev/stdout /log; echo 6 >>/log; { echo 7 >&2; } 2>&1 | cat >/dev/stdout; [ -p /dev/stdout ] && echo 8; rm /log`;
        const bob = { uid: 1000, gid: 1000, groups: [1000], home: '/home/u' };
        const others = who(title).owners === 'one' || runtime === 'bwrap' ? [] : [bob];
        for (const user of [{ uid: 0, gid: 0, groups: [], home: '/root' }, ...others]) {
          const request = { user, directory: '/home/u' };
          const { output, status } = await sh(title, script.replaceAll('/log', '/home/u/log'), { settings, request });
          // runc copies each stream separately, so only other runtimes keep the order.
          const lines = runtime === 'runc' ? output.trim().split('\n').sort() : output.trim().split('\n');
          expect({ user, lines, status }).toEqual({ user, lines: [...'12345678'], status: 0 });
        }
      });

      it.skipIf(absent)(`has no network where it is to have none, and the machine's else${because}`, async () => {
        const script =
          'grep -c : /proc/net/dev; ls /sys/class/net >/dev/null; cat /etc/resolv.conf; grep buildkit /etc/hosts';
        const settingsWithNames = { ...settings, resolvConf: 'nameserver 192.0.2.1\n', hosts: '192.0.2.7 other\n' };
        const none = await sh(title, script, { settings: settingsWithNames, request: { network: 'none' } });
        expect(none.output).toBe('1\nnameserver 192.0.2.1\n127.0.0.1\tbuildkitsandbox\n');
        expect(await listLayer(none.layer)).toEqual([]);
      });
    });

    it('runs as the user that is asked for, with its groups, without rights, and keeps the owners that it sets', async () => {
      const user = { uid: 1000, gid: 100, groups: [7, 8], home: '/home/u' };
      const done = await sh(title, 'id -u; id -g; id -G; echo $HOME; touch /home/u/f; touch /d/no', {
        request: { user },
      });
      if (who(title).owners === 'one') {
        expect(done.error).toMatchObject({ code: 'RUN_UNAVAILABLE', message: expect.stringContaining('[1000:100]') });
        expect(done.error?.hint).toMatch(/sudo usermod --add-subuids \d+-\d+ --add-subgids \d+-\d+ nobody$/);
        return;
      }
      expect(done.output).toMatch(/^1000\n100\n100 7 8\n\/home\/u\ntouch: \/d\/no: Permission denied\n$/);
      const owned = await sh(title, 'chown 5:6 /d/x; touch /d/g; chown -h 65534:65534 /link; chmod 4711 /d/y');
      expect((await listLayer(owned.layer)).filter((line) => !line.startsWith('d/ '))).toEqual([
        'd/g file 644 0:0',
        'd/x file 644 5:6 x',
        'd/y file 4711 0:0 y',
        'link symlink 777 65534:65534 d',
      ]);
    });

    it('gives the same layer where overlayfs is refused; files that are linked stay so', async () => {
      const mounted = await listLayer((await sh(title, CHANGES)).layer);
      const copied = await sh(title, CHANGES, { settings: { overlay: false } });
      expect(copied.machine).toMatchObject({ machine: { overlay: false } });
      const same = (line: string) => !/\.wh\.|^d\/(?:x|hard) /.test(line);
      const lines = await listLayer(copied.layer);
      expect(lines.filter(same)).toEqual(mounted.filter(same));
      expect(lines.filter((line) => !same(line))).toEqual([
        'd/hard file 644 0:0 x\nmore',
        'd/x hardlink 644 0:0 d/hard',
        'd/.wh.y file 0 0:0',
        'old/.wh.deep file 0 0:0',
      ]);
    });
  });
});
