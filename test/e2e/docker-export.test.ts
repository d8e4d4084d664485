import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { debianArchive } from '../peers/debian.ts';
import { type DockerPeer, startDockerd } from '../peers/dockerd.ts';
import { describeTree, unpack } from '../peers/file-tree.ts';
import { needs } from '../peers/find.ts';
import { must } from '../peers/process.ts';
import { newWorld, type World } from '../peers/program.ts';

/** Paths that a container adds to its image, and the directories whose times change by that. */
const CONTAINER =
  /^(?:\.?\/?|\S+ {2}\.\/)(?:\.dockerenv|dev\/(?:console|pts|shm)|etc\/(?:hosts|hostname|resolv\.conf|mtab)|proc|sys)\b|^(?:dev|etc) d /;

const DOCKERFILE = `FROM debian:base
RUN cp -a /usr/share/perl5 /opt/perl5 && ln /opt/perl5/Debconf/Db.pm /opt/hard && chmod 4750 /opt/hard && chown 3000000:3000000 /opt/perl5
RUN mkfifo /opt/fifo && mknod /opt/device c 1 3 && touch -h -d '1969-07-20 20:17:40.5' /opt/old && mkdir "/opt/$(printf 'latin\\351')" && setfattr -n user.some -v thing /opt/old || true
RUN rm -rf /opt/perl5/Debconf && mkdir /opt/perl5/Debconf && echo new > /opt/perl5/Debconf/Db.pm && rm /etc/issue && rm -rf /usr/share/bug && touch /usr/share/bug && mv /etc/apt /etc/apt2
RUN rm /usr/share/bug && mkdir /usr/share/bug && truncate -s 5M /opt/sparse && echo x >> /opt/hard
`;

const { missing, why } = needs('root', 'dockerd', 'docker', 'debootstrap', 'getfattr', 'tar');

describe.skipIf(missing)(`images docker_export of real images${why}`, () => {
  let world: World;
  let docker: DockerPeer;
  let env: { readonly DOCKER_HOST: string };

  beforeAll(async () => {
    [world, docker] = [await newWorld(), await startDockerd()];
    env = { DOCKER_HOST: docker.host };
    const context = join(world.path, 'context');
    await must('mkdir', ['-p', context]);
    await writeFile(join(context, 'Dockerfile'), DOCKERFILE);
    await docker.docker(['import', await debianArchive(), 'debian:base']);
    await docker.docker(['build', '--network=host', '-q', '-t', 'debian:changed', context]);
  }, 300_000);
  afterAll(async () => {
    await docker[Symbol.asyncDispose]();
    await world[Symbol.asyncDispose]();
  });

  const treeOf = async (name: string, archive: string) => {
    const directory = join(world.path, name);
    await unpack(archive, directory);
    const lines = await describeTree(directory);
    await must('rm', ['-rf', directory]);
    // The daemon truncates times to seconds.
    return lines.filter((line) => !CONTAINER.test(line)).map((line) => line.replace(/ (-?\d+)\.\d{10}/, ' $1'));
  };

  it('is what docker export gives of a container, entry by entry, from the daemon and from the store', async () => {
    const theirs = join(world.path, 'theirs.tar');
    const container = (await docker.docker(['create', 'debian:changed', 'x'])).trim();
    await docker.docker(['export', '-o', theirs, container]);
    const expected = await treeOf('theirs', theirs);
    expect(expected.length).toBeGreaterThan(5000);
    expect(expected.some((line) => line.startsWith('opt/device c '))).toBe(true);

    const ours = join(world.path, 'ours.tar');
    await world.must(['docker_export', `--output=${ours}`, 'docker-daemon:debian:changed'], { env });
    expect(await treeOf('ours', ours)).toEqual(expected);

    await world.must(['lreg_upload', 'debian:changed'], { env });
    await world.must(['docker_export', `--output=${ours}`, 'debian:changed']);
    expect(await treeOf('ours', ours)).toEqual(expected);
  }, 300_000);

  it.skipIf(needs('podman').missing)(
    `is what podman image mount shows${needs('podman').why}`,
    async () => {
      const archive = join(world.path, 'save.tar');
      await docker.docker(['save', '-o', archive, 'debian:changed']);
      const storage = [
        '--root',
        join(world.path, 'podman'),
        '--runroot',
        join(world.path, 'run'),
        '--storage-driver',
        'overlay',
      ];
      const podman = (...args: readonly string[]) => must('podman', [...storage, ...args]);
      await podman('load', '-i', archive);
      const mounted = (await podman('image', 'mount', 'debian:changed')).trim();
      const expected = await describeTree(mounted);
      await podman('image', 'umount', 'debian:changed');
      const ours = join(world.path, 'ours.tar');
      for (const location of [
        `docker-archive:${archive}`,
        `containers-storage:[overlay@${storage[1]}]debian:changed`,
      ]) {
        await world.must(['docker_export', `--output=${ours}`, location]);
        const directory = join(world.path, 'ours');
        await unpack(ours, directory);
        expect(await describeTree(directory)).toEqual(expected);
        await must('rm', ['-rf', directory]);
      }
    },
    300_000,
  );
});
