// Building images: 100 MB of Debian FROM scratch, for the first time and again, and three stages with RUN from a base in a registry. `images mkimage` against Docker's
// classic builder and BuildKit (docker.io has both), `buildah bud`, and the limit. Needs root with docker.io, buildah and debootstrap.
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { debianArchive } from '../test/peers/debian.ts';
import { startDockerRegistry } from '../test/peers/docker-registry.ts';
import { startDockerd } from '../test/peers/dockerd.ts';
import { needs } from '../test/peers/find.ts';
import { must, run } from '../test/peers/process.ts';
import { newWorld, ROOT } from '../test/peers/program.ts';
import { temporaryDirectory } from '../test/peers/temporary.ts';
import { type Command, measure, median, medianRatio } from './measure.ts';
import { atLeast, atMost, type Figure, plain } from './report.ts';

/** ext4 tries each number of a file that was deleted in the last seconds before it takes another one: making files takes 30 times as long meanwhile. */
const SETTLING_MS = 40_000;

const FROM_SCRATCH = 'FROM scratch\nADD --chown=0:0 ovl.tar /\nCMD ["/usr/bin/true"]\n';

/** RUN that does what RUN does: copies, unpacks, makes lists. */
const threeStages = (base: string): string => `FROM ${base} AS docs
RUN mkdir /out && cp -a /usr/share/doc /out/doc
RUN find /out -name '*.gz' -exec gunzip {} +
FROM ${base} AS lists
RUN mkdir /out && ls -lR /usr > /out/files
RUN find /usr/lib -type f -exec sha256sum {} + > /out/sums
FROM ${base}
COPY --from=docs /out /srv/docs
COPY --from=lists /out /srv/lists
RUN sort /srv/lists/sums > /srv/sorted
CMD ["/bin/sh"]
`;

const BUILDERS = ['images', 'docker', 'buildkit', 'buildah'] as const;
type Builder = (typeof BUILDERS)[number];
type Times = Record<string, number[]>;

const CALLED: Readonly<Record<Builder, string>> = {
  images: 'images mkimage',
  docker: 'docker build',
  buildkit: 'docker build, BuildKit',
  buildah: 'buildah bud',
};

/** `cold` makes all forget what builds have left, bases too. */
interface Workshop extends AsyncDisposable {
  readonly builders: readonly Builder[];
  build(builder: Builder, directory: string): Command;
  cold(): Promise<void>;
}

export async function mkimageFigures(rounds: number): Promise<readonly Figure[]> {
  const lacking = needs('root', 'dockerd', 'docker', 'buildah', 'debootstrap');
  if (lacking.missing) {
    console.error(`bench: mkimage${lacking.why}`);
    return [];
  }
  // Each has a store of its own: what the one has fetched and built is not there for the other.
  await using docker = await startDockerd();
  await using buildkit = await startDockerd();
  await using registry = await startDockerRegistry();
  await using world = await newWorld();
  await using scratch = await temporaryDirectory('bench');
  const at = (name: string) => join(scratch.path, name);
  await prepare(scratch.path);
  const base = `${registry.host}/bench/debian:1`;
  await world.must(['mkimage', '--tag=bench/debian:1', at('base')]);
  await world.must(['copy', 'bench/debian:1', `docker://${base}`]);
  await writeFile(at('stages/Dockerfile'), threeStages(base));
  await using workshop = await openWorkshop({ docker: docker.host, buildkit: buildkit.host }, world.env, scratch.path);

  const first = await measured(workshop, rounds, { directory: at('files'), archive: at('files/ovl.tar') });
  const anew = await measuredAgain(workshop, rounds, at('anew'));
  const again = await measuredAgain(workshop, rounds, at('files'));
  const stages = await measured(workshop, rounds, { directory: at('stages') });
  const { peak } = await measure(workshop.build('images', at('files')), 'memory');
  await workshop.cold();
  const { peak: peakCold } = await measure(workshop.build('images', at('files')), 'memory');

  const of = (times: Times, name: string) => times[name] ?? [];
  const others = workshop.builders.filter((each) => each !== 'images');
  const seconds = (what: string, times: Times) =>
    workshop.builders.map((each) => plain(`${what}: ${CALLED[each]}`, median(of(times, each)), ' s'));
  const ratios = (what: string, times: Times, limit: number, which = others) =>
    which.map((each) =>
      atLeast(
        `${what}: ${CALLED[each]} / images mkimage`,
        medianRatio(of(times, each), of(times, 'images')),
        limit,
        ' ×',
      ),
    );
  const own = of(again, 'images').map((time, round) => time - (of(again, 'script')[round] ?? Number.NaN));
  return [
    plain(
      '100 MB FROM scratch: the limit (read, sha256, gzip -1 on all processors, sha256, write)',
      median(of(first, 'limit')),
      ' s',
    ),
    ...seconds('100 MB FROM scratch', first),
    ...ratios('100 MB FROM scratch', first, 2),
    plain(
      '100 MB FROM scratch: images mkimage / the limit',
      medianRatio(of(first, 'images'), of(first, 'limit')),
      ' ×',
    ),
    atMost('100 MB FROM scratch: memory of images mkimage', Math.max(peak, peakCold), 200, ' MB'),
    plain('the same again: the tar script alone', median(of(again, 'script')), ' s'),
    ...seconds('the same again', again),
    atMost('the same again: images mkimage beyond the script', median(own) * 1000, 150, ' ms'),
    ...others.map((each) => {
      const what = `the same again: ${CALLED[each]} / images mkimage beyond the script`;
      return atLeast(what, medianRatio(of(again, each), own), 5, ' ×');
    }),
    ...seconds('the same files packed anew, with the script', anew),
    ...ratios('the same files packed anew, with the script', anew, 5),
    ...seconds('three stages with RUN, the base in a registry', stages),
    ...ratios('three stages with RUN, the base in a registry', stages, 1, ['buildah']),
  ];
}

/** `files`: 100 MB that are there; `anew`: the same, packed by each call of the script; `base` and `stages`: the base of the three stages, and these. */
async function prepare(directory: string): Promise<void> {
  const at = (name: string) => join(directory, name);
  for (const name of ['root', 'files', 'anew', 'base', 'stages']) await mkdir(at(name));
  const debian = await debianArchive();
  await must('tar', ['-C', at('root'), '-xf', debian, './usr']);
  // Programs, libraries, documentation and half of the translations: 100 MB.
  const tar = `tar -C ${at('root')} --sort=name --exclude='usr/share/locale/[a-m]*'`;
  await must('sh', [
    '-euc',
    `${tar} -cf ${at('files/ovl.tar')} usr; tar -C ${at('root')} -cf ${at('stages/ovl.tar')} usr/bin/true`,
  ]);
  const scripts = {
    files: `exec cat ${at('files/ovl.tar')}`,
    anew: `exec ${tar} --mtime="@$(date +%s)" -cf - usr`,
    base: `exec cat ${debian}`,
    stages: `exec cat ${at('stages/ovl.tar')}`,
  };
  for (const [name, script] of Object.entries(scripts)) {
    await writeFile(at(`${name}/Dockerfile`), FROM_SCRATCH);
    await writeFile(at(`${name}/tar`), `#! /bin/sh\n${script}\n`, { mode: 0o755 });
  }
}

async function openWorkshop(
  hosts: Readonly<Record<'docker' | 'buildkit', string>>,
  world: Readonly<Record<string, string | undefined>>,
  directory: string,
): Promise<Workshop> {
  const buildah = ['--root', join(directory, 'buildah/root'), '--runroot', join(directory, 'buildah/run')];
  const client = await buildKitClient(hosts.buildkit, join(directory, 'files'));
  const docker = { DOCKER_HOST: hosts.docker, DOCKER_BUILDKIT: '0' };
  const buildkit = { DOCKER_HOST: hosts.buildkit, DOCKER_BUILDKIT: '1' };
  const build: Readonly<Record<Builder, (directory: string) => Command>> = {
    images: (context) => ({
      command: join(ROOT, 'bin/images'),
      args: ['mkimage', '--tag=bench/image:1', context],
      options: { env: world },
    }),
    docker: (context) => ({
      command: 'docker',
      args: ['build', '-q', '--network=host', '-t', 'bench', context],
      options: { env: docker },
    }),
    buildkit: (context) => ({
      command: client ?? 'docker',
      args: ['build', '-q', '--network=host', '-t', 'bench', context],
      options: { env: buildkit },
    }),
    buildah: (context) => ({
      command: 'buildah',
      args: [
        ...buildah,
        'bud',
        '-q',
        '--layers',
        '--isolation=chroot',
        '--network=host',
        '--tls-verify=false',
        '-t',
        'bench',
        context,
      ],
    }),
  };
  const stores = ['XDG_DATA_HOME', 'XDG_CACHE_HOME'].map((name) => join(world[name] ?? '', 'images'));
  const forget: Readonly<Record<Builder, () => Promise<unknown>>> = {
    // Compiled code is the program's, not the build's.
    images: () =>
      Promise.all([stores[0], `${stores[1]}/run`].map((path) => rm(path ?? '', { recursive: true, force: true }))),
    docker: () => must('docker', ['system', 'prune', '-af'], { env: docker }),
    buildkit: () => must('docker', ['system', 'prune', '-af'], { env: buildkit }),
    buildah: () => must('buildah', [...buildah, 'rmi', '--all', '--force']),
  };
  return {
    builders: BUILDERS.filter((each) => each !== 'buildkit' || client !== undefined),
    build: (builder, context) => build[builder](context),
    cold: async () => {
      for (const each of BUILDERS) await forget[each]();
      await setTimeout(SETTLING_MS);
    },
    [Symbol.asyncDispose]: async () => {
      await run('buildah', [...buildah, 'rm', '--all']);
      await run('umount', [join(directory, 'buildah/root/overlay')]);
    },
  };
}

/** A client that has BuildKit in it, or as a plugin. */
async function buildKitClient(host: string, directory: string): Promise<string | undefined> {
  const env = { DOCKER_HOST: host, DOCKER_BUILDKIT: '1' };
  for (const client of ['docker', '/usr/bin/docker']) {
    if ((await run(client, ['build', '-q', directory], { env })).status === 0) return client;
  }
  console.error('bench: no docker client here has BuildKit');
  return undefined;
}

/** For the first time: with `archive`, the limit too. */
async function measured(
  workshop: Workshop,
  rounds: number,
  { directory, archive }: { readonly directory: string; readonly archive?: string },
): Promise<Times> {
  const times: Times = {};
  for (let round = 0; round < rounds; round++) {
    if (archive) {
      const out = `${directory}.gz`;
      await once(times, 'limit', {
        command: process.execPath,
        args: [join(ROOT, 'bench/limit-mkimage.mjs'), archive, out],
      });
      await rm(out);
    }
    await workshop.cold();
    for (const builder of workshop.builders) await once(times, builder, workshop.build(builder, directory));
    say(times);
  }
  return times;
}

/** Again. What others than us build from, a script has to make first, where it makes it anew each time. */
async function measuredAgain(workshop: Workshop, rounds: number, directory: string): Promise<Times> {
  const archive = join(directory, 'ovl.tar');
  const script: Command = { command: 'sh', args: ['-c', '"$0" - > "$1"', join(directory, 'tar'), `${directory}.tar`] };
  const times: Times = {};
  const isAnew = directory.endsWith('anew');
  const build = (builder: Builder): Command => {
    const { command, args, options } = workshop.build(builder, directory);
    if (!isAnew || builder === 'images') return { command, args, ...(options && { options }) };
    const both = ['-ec', '"$0" - > "$1"; shift; exec "$@"', join(directory, 'tar'), archive, command, ...args];
    return { command: 'sh', args: both, ...(options && { options }) };
  };
  for (const builder of workshop.builders) await measure(build(builder));
  for (let round = 0; round < rounds; round++) {
    await once(times, 'script', script);
    await rm(`${directory}.tar`);
    for (const builder of workshop.builders) await once(times, builder, build(builder));
    say(times);
  }
  return times;
}

async function once(times: Times, name: string, command: Command): Promise<void> {
  // What was written before must not be written to the disk on this one's time.
  await must('sync', []);
  const { seconds } = await measure(command);
  times[name] = [...(times[name] ?? []), seconds];
}

function say(times: Times): void {
  const last = Object.entries(times).map(([name, each]) => `${name} ${each.at(-1)?.toFixed(2)} s`);
  console.error(`bench: ${last.join(', ')}`);
}
