import { chmod, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { debianArchive } from '../../../test/peers/debian.ts';
import { type DockerPeer, startDockerd } from '../../../test/peers/dockerd.ts';
import { describeTree, unpack } from '../../../test/peers/file-tree.ts';
import { needs } from '../../../test/peers/find.ts';
import { must } from '../../../test/peers/process.ts';
import { applyLayers } from '../../rootfs/apply-layers.ts';
import { exportTree } from '../../rootfs/export-tree.ts';
import { indexLayers } from '../../rootfs/layer-index.ts';
import { type DrivenMount, layerOf } from './testing/drive.ts';
import { listLayer, type RunWorld } from './testing/world.ts';
import { USERS, worldForAll } from './testing/world-for-all.ts';

const { missing, why } = needs(
  'root',
  'dockerd',
  'docker',
  'debootstrap',
  'dpkg-deb',
  'getfattr',
  'newuidmap',
  'useradd',
  'setpriv',
  'setcap',
);

/** The number of setxattr(2), which sets cap_net_raw+ep: Debian's base image has no setcap. */
const SETXATTR = process.arch === 'arm64' ? 5 : 188;
const PERL_SETCAP = `'($p, $n, $v) = ("/usr/bin/who", "security.capability", pack("V5", 0x02000001, 1 << 13, 0, 0, 0)); syscall(${SETXATTR}, $p, $n, $v, 20, 0) == 0 or die $!'`;

/** Typical commands of package managers and people. Each is a RUN. */
const STEPS: readonly string[] = [
  'dpkg -i /tmp/some.deb && useradd -m -s /bin/bash somebody && passwd -l somebody >/dev/null',
  'chown -R somebody:mail /opt/some && chmod 4750 /opt/some/tool && install -d -o www-data -g www-data -m 2775 /srv/www && mv /opt/some /opt/other && mv /opt/other /opt/some',
  `perl -e ${PERL_SETCAP} && chmod g+s /opt/some/data`,
  'rm /etc/issue /usr/share/common-licenses/GPL-1 && rm -rf /usr/share/perl5/Debconf && mv /etc/apt /etc/apt.moved && mv /usr/share/bug /usr/share/bug.moved',
  'rm -rf /usr/share/tabset && echo file >/usr/share/tabset && rm -rf /usr/share/terminfo && mkdir /usr/share/terminfo && echo n >/usr/share/terminfo/n',
  'rm /usr/share/tabset && mkdir /usr/share/tabset && echo back >/usr/share/tabset/back && ln /opt/some/data /opt/some/hard && ln -s hard /opt/some/soft && mkfifo /opt/some/fifo && touch -d 2001-02-03 /etc/hostname',
  'dpkg -r some && apt-get --version >/dev/null && ldconfig && rm -f /var/cache/ldconfig/aux-cache',
];

/** Paths that a container adds to its image, and files whose content depends on the time. */
const OTHERWISE =
  /(?:^|\.\/)(?:\.dockerenv|dev\/?|etc\/(?:hosts|hostname|resolv\.conf|mtab)|proc|sys|var\/log\/|var\/lib\/dpkg\/|tmp\/some\.deb|etc\/(?:shadow|subuid|subgid))\b/;

describe.skipIf(missing)(`RUN on Debian${why}`, () => {
  let world: RunWorld;
  let docker: DockerPeer;
  let base: string;
  let packaged: string;
  const { who } = worldForAll((made) => (world = made));

  beforeAll(async () => {
    docker = await startDockerd();
    base = await debianArchive();
    const root = join(world.path, 'package');
    await must('sh', [
      '-ec',
      `mkdir -p ${root}/DEBIAN ${root}/opt/some; cd ${root}
      printf '#!/bin/sh\\necho tool\\n' >opt/some/tool; chmod 755 opt/some/tool; echo data >opt/some/data
      printf 'Package: some\\nVersion: 1\\nArchitecture: all\\nMaintainer: m <m@example.org>\\nDescription: some\\n' >DEBIAN/control
      printf '#!/bin/sh\\nset -e\\nchgrp mail /opt/some/data\\nchown -h daemon:daemon /opt/some/tool\\n' >DEBIAN/postinst; chmod 755 DEBIAN/postinst
      mkdir -p ${world.path}/ctx/tmp; dpkg-deb --root-owner-group -b . ${world.path}/ctx/tmp/some.deb`,
    ]);
    packaged = join(world.path, 'packaged.tar');
    await must('tar', [
      '-C',
      join(world.path, 'ctx'),
      '--owner=0',
      '--group=0',
      '--mtime=@0',
      '-cf',
      packaged,
      'tmp/some.deb',
    ]);
    await chmod(packaged, 0o644);
  }, 300_000);
  afterAll(async () => {
    await docker?.[Symbol.asyncDispose]();
  });

  const treeOf = async (archive: string): Promise<readonly string[]> => {
    const directory = `${archive}.d`;
    await unpack(archive, directory);
    const lines = await describeTree(directory);
    await must('rm', ['-rf', directory]);
    // Times are those of the build.
    return lines
      .filter((line) => !OTHERWISE.test(line))
      .map((line) => line.replace(/^(\S.* [a-z] \d+ \d+:\d+) -?[\d.]+/, '$1'));
  };

  it.each(['root', 'a user with subordinate ids'] as const)(
    'gives what docker build gives, as %s',
    async (title) => {
      const layers = [base, packaged];
      for (const step of STEPS) {
        const { status, output, error, layer } = await world.drive(who(title), {
          layers,
          request: { args: ['/bin/sh', '-c', step] },
        });
        expect({ status, error, output: status === 0 ? '' : output }).toEqual({
          status: 0,
          error: undefined,
          output: '',
        });
        layers.push(layer);
      }
      const ours = join(world.path, 'ours.tar');
      const applied = layers.map((layer) => layerOf(layer));
      await writeFile(ours, exportTree(applyLayers(await indexLayers(applied)), applied));

      const theirs = join(world.path, 'theirs.tar');
      await docker.docker(['import', base, 'debian:base']);
      const dockerfile = ['FROM debian:base', 'COPY tmp/some.deb /tmp/', ...STEPS.map((step) => `RUN ${step}`)].join(
        '\n',
      );
      await writeFile(join(world.path, 'ctx/Dockerfile'), dockerfile);
      await docker.docker(['build', '--network=host', '-q', '-t', 'changed', join(world.path, 'ctx')]);
      const container = (await docker.docker(['create', 'changed', 'x'])).trim();
      await docker.docker(['export', '-o', theirs, container]);

      const [expected, got] = [await treeOf(theirs), await treeOf(ours)];
      expect(expected.length).toBeGreaterThan(5000);
      const [theirLines, ourLines] = [new Set(expected), new Set(got)];
      expect(got.filter((line) => !theirLines.has(line))).toEqual([]);
      expect(expected.filter((line) => !ourLines.has(line))).toEqual([]);
    },
    300_000,
  );

  it('keeps capabilities, which no user namespace sees as the file system has them', async () => {
    for (const title of USERS) {
      const request = { args: ['/bin/sh', '-c', `perl -e ${PERL_SETCAP}`] };
      const { layer, status } = await world.drive(who(title), { layers: [base], request });
      expect(status).toBe(0);
      const capabilities = 'security.capability=0100000200200000000000000000000000000000';
      expect((await listLayer(layer)).filter((line) => line.includes('usr/bin/who'))).toEqual([
        expect.stringContaining(capabilities),
      ]);
      // The program starts, whether or not it gets the capability.
      const started = await world.drive(who(title), { layers: [base, layer], request: { args: ['/usr/bin/who'] } });
      expect(started.status).toBe(0);
      // Still there after unpacking again, and kept by a copy-up.
      const again = await world.drive(who(title), {
        layers: [base, layer],
        request: { args: ['/bin/sh', '-c', 'chmod 711 /usr/bin/who'] },
      });
      expect((await listLayer(again.layer)).find((line) => line.includes('usr/bin/who'))).toContain(capabilities);
    }
  });

  it('as nobody, a package that needs other owners fails with the command that mends it, or goes on where that is wanted', async () => {
    const nobody = who('nobody');
    const layers = [base, packaged];
    const request = { args: ['/bin/sh', '-c', `${STEPS[0]} && echo new >/opt/some/new && : >>/etc/shadow`] };
    const refused = await world.drive(nobody, { layers, request });
    expect(refused.status).not.toBe(0);
    expect(refused.hint).toMatch(
      /^Give the user subordinate ids: sudo usermod --add-subuids \d+-\d+ --add-subgids \d+-\d+ nobody$/,
    );
    for (const runtime of (['crun', 'runc', 'bwrap'] as const).filter((name) => !needs(name).missing)) {
      const ignoring = await world.drive(nobody, { layers, request, settings: { ignoreChownErrors: true, runtime } });
      expect({ runtime, status: ignoring.status }).toEqual({ runtime, status: 0 });
      const lines = await listLayer(ignoring.layer);
      // Existing files keep their owners, new ones are root's.
      expect(lines.find((line) => line.startsWith('etc/shadow '))).toMatch(/^etc\/shadow file 640 0:42 /);
      expect(lines.find((line) => line.startsWith('opt/some/new '))).toMatch(/^opt\/some\/new file 644 0:0 /);
    }
  }, 200_000);

  it('another user of the image can become its root by a set-user-ID program, as with BuildKit', async () => {
    for (const title of ['root', 'a user with subordinate ids'] as const) {
      const prepare = { args: ['/bin/sh', '-c', 'cp /usr/bin/id /usr/bin/become && chmod 4755 /usr/bin/become'] };
      const { layer } = await world.drive(who(title), { layers: [base], request: prepare });
      const user = { uid: 1000, gid: 1000, groups: [1000], home: '/' };
      const request = { user, args: ['/bin/sh', '-c', 'become -u; id -u; grep CapPrm /proc/self/status'] };
      const { output } = await world.drive(who(title), { layers: [base, layer], request });
      expect(output).toBe('0\n1000\nCapPrm:\t0000000000000000\n');
    }
  });

  it('ssh: the agent answers whoever runs the command', async () => {
    for (const title of USERS) {
      const socket = join(await world.home(who(title)), 'agent');
      const agent = createServer((client) => client.once('data', (data) => client.end(`agent got ${data}`)));
      await new Promise<void>((resolve) => agent.listen(socket, resolve));
      await chmod(socket, 0o777);
      const target = '/run/buildkit/ssh_agent.0';
      const mount: DrivenMount = { type: 'ssh', target, socket, mode: 0o600, uid: 0, gid: 0 };
      const ask = `perl -MIO::Socket::UNIX -e '$s = IO::Socket::UNIX->new(Peer => "${target}") or die $!; print $s "question\\n"; $s->flush; print <$s>'`;
      const request = { args: ['/bin/sh', '-c', `stat -c '%F %a' ${target}; ${ask}`] };
      const { output, layer } = await world.drive(who(title), { layers: [base], mounts: [mount], request });
      await new Promise((resolve) => agent.close(resolve));
      expect(output).toBe('socket 600\nagent got question\n');
      expect(await listLayer(layer)).toEqual([]);
    }
  });
});
