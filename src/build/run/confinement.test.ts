// What a RUN cannot reach: whichever user and runtime start it, the machine is as safe from root in it as from an ordinary user.
import { spawnSync } from 'node:child_process';
import { closeSync, openSync, readFileSync, statSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { needs } from '../../../test/peers/find.ts';
import { archiveOf } from '../../rootfs/testing/layers.ts';
import type { RuntimeName } from './contract.ts';
import type { RunWorld } from './testing/world.ts';
import { USERS, worldForAll } from './testing/world-for-all.ts';

const { missing, why } = needs('root', 'busybox', 'newuidmap', 'useradd', 'setpriv', 'losetup');
/** Programs that keep the privileges of a set-user-ID bit, which busybox drops: one without the bit, one with it. */
const SET_USER_ID = `mkdir -p bin
for of in cat:cat-plain cat:cat-root readlink:links readlink:links-root; do
  program=$(command -v "\${of%:*}"); cp -L "$program" "bin/\${of#*:}"
  for library in $(ldd "$program" | grep -o '/[^ ]*'); do mkdir -p ".\${library%/*}"; cp -L "$library" ".$library"; done
done
chmod 4755 bin/cat-root bin/links-root
`;

/** Lines of /proc/PID/status; capability sets as numbers. */
function rightsOf(text: string): Record<string, string | bigint> {
  const lines = text
    .trim()
    .split('\n')
    .map((line) => line.split(/: */) as [string, string]);
  return Object.fromEntries(
    lines.map(([name, value]) => [name, name.startsWith('Cap') ? BigInt(`0x${value}`) : value]),
  );
}

const RUNTIMES: readonly RuntimeName[] = ['crun', 'runc', 'bwrap', 'unshare'];

describe.skipIf(missing)(`RUN is shut in${why}`, () => {
  let world: RunWorld;
  let disk: { readonly file: string; readonly device: string; readonly fd: number; readonly numbers: string };
  const { sh } = worldForAll((made) => (world = made));

  beforeAll(async () => {
    const file = join(world.path, 'disk');
    await writeFile(file, Buffer.concat([Buffer.from('SECRET-OF-THE-DISK'), Buffer.alloc(1 << 20)]));
    const made = spawnSync('losetup', ['-f', '--show', file], { encoding: 'utf8' });
    const device = made.stdout.trim();
    if (made.status !== 0) throw new Error(made.stderr);
    // The device disappears when the last descriptor is closed.
    const fd = openSync(device, 'r');
    spawnSync('losetup', ['-d', device]);
    const { rdev } = statSync(device);
    disk = { file, device, fd, numbers: `${rdev >> 8} ${rdev & 0xff}` };
  });
  afterAll(() => {
    if (disk) closeSync(disk.fd);
  });

  describe.each(USERS)('as %s', (title) => {
    describe.each(RUNTIMES.filter((name) => !needs(name).missing))('with %s', (runtime) => {
      const settings = { runtime };

      it('reaches no device of the machine, by whatever name and wherever it makes it', async () => {
        const script = `for d in /tmp /dev /dev/shm /cache /t; do
            for n in 'b ${disk.numbers}' 'c 1 1' 'c 1 11' 'c 10 237' 'c 5 1' 'c 4 0'; do
              mknod $d/x $n 2>/dev/null && { head -c 18 $d/x && echo read; echo OWNED >$d/x && echo written; } 2>/dev/null
              rm -f $d/x
            done
          done
          mkfifo /tmp/p && echo x >/dev/null && head -c 3 /dev/zero | wc -c && [ -c /dev/tty ] && echo well`;
        const mounts = [
          {
            type: 'cache' as const,
            target: '/cache',
            id: `c-${title}-${runtime}`,
            sharing: 'shared' as const,
            readOnly: false,
            mode: 0o777,
            uid: 0,
            gid: 0,
            layers: [],
            source: '',
          },
          { type: 'tmpfs' as const, target: '/t' },
        ];
        const { output, status } = await sh(title, script, { settings, mounts });
        expect({ output, status }).toEqual({ output: '3\nwell\n', status: 0 });
        expect(readFileSync(disk.file).subarray(0, 18).toString()).toBe('SECRET-OF-THE-DISK');
      });

      it('reaches none that an image brings', async () => {
        const [major = 0, minor = 0] = disk.numbers.split(' ').map(Number);
        const layer = join(world.path, `devices-${title}-${runtime}.tar`.replaceAll(' ', '-'));
        await writeFile(
          layer,
          await archiveOf([
            { name: 'disk', type: 'block', device: { major, minor }, mode: 0o666 },
            { name: 'kmsg', type: 'character', device: { major: 1, minor: 11 }, mode: 0o666 },
            { name: 'null', type: 'character', device: { major: 1, minor: 3 }, mode: 0o666 },
          ]),
        );
        const bind = { type: 'bind' as const, target: '/b', source: '/', readOnly: false, layers: [layer] };
        const script = 'cd /; for d in disk kmsg b/disk b/kmsg; do head -c 18 $d 2>/dev/null; done; echo ended';
        const more = { settings, layers: [world.busybox, layer], mounts: [bind] };
        expect((await sh(title, script, more)).output).toBe('ended\n');
        expect((await sh(title, script, { ...more, settings: { ...settings, overlay: false } })).output).toBe(
          'ended\n',
        );
      });

      it('changes nothing of the machine, mounts nothing, and has no namespace in which it could', async () => {
        const script = `for c in 'mount -t tmpfs x /tmp' 'umount /dev/shm' 'mount -o remount,rw /sys' 'hostname x' 'swapoff -a' 'chroot /proc/1/root true -' 'insmod /etc/passwd'
            do $c >/dev/null 2>&1 && echo "did $c"; done
          for f in /proc/sys/kernel/core_pattern /proc/sysrq-trigger /sys/kernel/uevent_helper /sys/power/state /proc/sys/kernel/panic; do
            { cat $f >/tmp/was && cat /tmp/was >$f; } 2>/dev/null && echo "wrote $f"; done
          { dd if=/proc/kcore bs=1 count=1 | grep -q . || head -c1 /sys/firmware/dmi/tables/DMI | grep -q .; } 2>/dev/null && echo read
          echo ended`;
        expect((await sh(title, script, { settings })).output.replace(/did chroot.*\n/, '')).toBe('ended\n');
      });

      it('has nothing in /sys that belongs to the user: control groups, connections of FUSE', async () => {
        const script = `for d in /sys/fs/cgroup /sys/fs/fuse/connections; do
            [ ! -d $d ] || { ls -A $d; mkdir $d/x 2>/dev/null && echo "made $d/x"; }
          done
          echo ended`;
        expect((await sh(title, script, { settings })).output).toBe('ended\n');
      });

      it('has the rights that Docker gives, and cannot gain any', async () => {
        const { output } = await sh(
          title,
          'grep -E "^(Cap(Bnd|Prm|Amb)|NoNewPrivs|Seccomp):" /proc/self/status | tr -d "\\t"',
          { settings },
        );
        const rights = Object.fromEntries(
          output
            .trim()
            .split('\n')
            .map((line) => line.split(':')),
        ) as Record<string, string>;
        const docker = 0xa80425fbn;
        const [rawPackets, nodes] = [1n << 13n, 1n << 27n];
        const beyond = (set: string): bigint => BigInt(`0x${rights[set]}`) & ~docker;
        expect([beyond('CapPrm'), beyond('CapAmb')]).toEqual([0n, 0n]);
        // bwrap does not reduce the bounding set, but no privilege can be gained from it.
        if (runtime !== 'bwrap') expect(beyond('CapBnd')).toBe(0n);
        // On the machine's network, root with raw packets would see all traffic.
        if (title === 'root') expect(BigInt(`0x${rights.CapPrm}`) & rawPackets).toBe(0n);
        if (runtime === 'unshare') expect(BigInt(`0x${rights.CapBnd}`) & nodes).toBe(0n);
        expect(rights).toMatchObject({ NoNewPrivs: '1', ...(runtime !== 'unshare' && { Seccomp: '2' }) });
        const none = await sh(title, 'grep ^CapBnd /proc/self/status | cut -f2', {
          settings,
          request: { network: 'none' },
        });
        expect(BigInt(`0x${none.output.trim()}`) & rawPackets).toBe(rawPackets);
      });

      it.skipIf(runtime === 'unshare' && title === 'root')(
        'makes no user namespace, in which it would have all rights',
        async () => {
          const { output } = await sh(title, 'unshare -U true; unshare -r -m true; unshare -U -n true', { settings });
          expect(output).toMatch(/^(?:unshare: .*(?:Operation not permitted|not implemented|No space left).*\n){3}$/);
        },
      );

      it.skipIf(runtime !== 'unshare' || title !== 'root')(
        'reaches no more from a user namespace that it makes',
        async () => {
          const script = `unshare -r -m sh -c '
            for d in /tmp /dev; do mknod $d/x b ${disk.numbers} && head -c 18 $d/x; done
            mount -t tmpfs t /mnt && mknod /mnt/x b ${disk.numbers} && head -c 18 /mnt/x
            for at in /proc /dev /sys /; do umount $at && echo unmounted; done
            mount -o remount,rw,bind /proc/sys && echo remounted
            echo x >/proc/sys/kernel/core_pattern && echo written
            insmod /etc/passwd && echo loaded; hostname x && echo named; nsenter -t 1 -m true && echo entered' 2>/dev/null
          echo ended`;
          expect((await sh(title, script, { settings })).output).toBe('ended\n');
        },
      );

      // bwrap only supports root, and nobody has no second user.
      it.skipIf(runtime === 'bwrap' || title === 'nobody')(
        'gives another user who becomes root of the image (sudo) what root has, and no more',
        async () => {
          const layer = await world.archive('set-user-id', SET_USER_ID);
          const script =
            'for c in cat-plain cat-root; do $c /proc/self/status; done | grep -E "^(Uid|Cap|Seccomp:|NoNewPrivs)" | tr "\\t" " "; for c in links links-root; do $c /proc/self/ns/user; done';
          const asked = async (uid: number) => {
            const request = { user: { uid, gid: uid, groups: [], home: '/' } };
            const { output } = await sh(title, script, { settings, layers: [world.busybox, layer], request });
            const [plain = '', root = ''] = output.split(/(?<=^NoNewPrivs.*\n|^Seccomp: .*\n)(?=Uid)/m);
            return {
              plain: rightsOf(plain),
              root: rightsOf(root),
              namespaces: [...output.matchAll(/user:\[\d+\]/g)].map(String),
            };
          };
          const [user, root] = [await asked(1000), await asked(0)];
          expect(user.plain).toMatchObject({ Uid: '1000 1000 1000 1000', CapPrm: 0n, CapEff: 0n, CapAmb: 0n });
          expect(user.root.Uid).toMatch(/^1000 0 0 0$/);
          expect(root.root.Uid).toBe('0 0 0 0');
          for (const set of ['CapPrm', 'CapEff', 'CapAmb', 'CapInh'] as const) {
            expect([set, user.root[set]]).toEqual([set, root.root[set]]);
          }
          // The bounding set of root, who cannot gain privileges, may have more: otherwise programs with file capabilities would not start.
          expect((user.root.CapBnd as bigint) & ~(root.root.CapBnd as bigint)).toBe(0n);
          expect(user.root.CapBnd).toBe(user.root.CapPrm);
          expect(user.root.Seccomp).toBe(root.root.Seccomp);
          if (runtime !== 'unshare') expect(user.root.Seccomp).toBe('2');
          expect(new Set(user.namespaces).size).toBe(1);
        },
      );

      it.skipIf(runtime === 'unshare')('has the system calls of the list, no others', async () => {
        // On one stream: runc copies each by itself, so the order of lines of two is that of the scheduler.
        const script = `exec 2>&1; unshare -m true; unshare -U true; unshare -n true; nsenter -m -t 1 true 2>/dev/null && echo entered; setarch i686 true 2>/dev/null; (exit 3); echo $?; sh -c 'sleep 0 & wait'; wget -q http://127.0.0.1:9 2>&1 | grep -o refused; echo ended`;
        const { output } = await sh(title, script, { settings });
        expect(output).toMatch(/^(?:unshare: .*(?:Operation not permitted|not implemented)\n){3}3\nrefused\nended\n$/);
      });
    });

    it('lets harmless devices be made where the machine has rights for that', async () => {
      const script = 'mknod /tmp/null c 1 3 && echo x >/tmp/null && stat -c "%F %t:%T" /tmp/null';
      const { output } = await sh(title, script);
      const { runtime } = (await sh(title, 'true')).machine as { readonly runtime?: RuntimeName };
      if (title === 'root' && runtime !== 'unshare') expect(output).toBe('character special file 1:3\n');
      else expect(output).toMatch(/^mknod: .*not permitted\n$/);
    });
  });
});
