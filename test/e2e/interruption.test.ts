// Ctrl-C and SIGTERM while the program waits for another program, for DNS or for a registry, or computes: it ends soon, and so do all processes that it has started.
import type { ChildProcess } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { dirname, join } from 'node:path';
import type { Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { identityOf, isAlive } from '../../src/io/concurrency/process-identity.ts';
import { needs } from '../peers/find.ts';
import { start, until } from '../peers/process.ts';
import { newWorld, ROOT, type World } from '../peers/program.ts';
import { eventually } from '../testing/eventually.ts';

const SIGNALS = [
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const;
/** In milliseconds, on an idle machine. */
const SOON = 1000;
/** The load of the machine is measured by a control process, which gets the signal at the same moment. The program may take so many times as long as the control in addition. */
const TIMES_CONTROL = 20;
/** Bad luck does not come three times in a row. A wait in the program does. */
const TRIES = 3;

/** The least that a program does that ends another one. */
const CONTROL = `
const child = require('node:child_process').spawn('sleep', ['64']);
for (const name of ['SIGINT', 'SIGTERM']) process.on(name, () => child.kill('SIGKILL'));
child.on('spawn', () => console.log('ready')).on('exit', () => process.exit());
`;

/** Starts three processes: one that it waits for, one in the background, and an orphan that ignores SIGTERM. Writes their numbers and its own into `pids`. */
const hanging = (world: World): string => `#! /bin/sh
exec 2>/dev/null
(trap '' TERM; sleep 61 & echo $! >>${world.path}/some) &
sleep 62 &
echo $! >>${world.path}/some
echo $$ >>${world.path}/some
sh -c 'echo $$ >>${world.path}/some; while [ $(wc -l <${world.path}/some) -lt 4 ]; do sleep 0.02; done; mv ${world.path}/some ${world.path}/pids; sleep 63; :'
`;

async function put(path: string, text: string): Promise<string> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, text);
  await chmod(path, 0o755);
  return path;
}

/** Waits for `pids`, and returns the identities of its processes. */
async function begun(world: World, child: ChildProcess): Promise<readonly string[]> {
  let identities: readonly (string | undefined)[] = [];
  await until(async () => {
    expect([child.exitCode, child.signalCode]).toEqual([null, null]);
    const text = await readFile(join(world.path, 'pids'), 'utf8').catch(() => '');
    identities = text.split('\n').filter(Boolean).map(Number).map(identityOf);
    return identities.length > 0;
  });
  return identities.filter((each) => each !== undefined);
}

/** Begins anew where the program was late, as it may be by chance. */
async function endsSoon(
  [signal, status]: readonly [NodeJS.Signals, number],
  begin: () => Promise<{ readonly child: ChildProcess; after?(): Promise<void> }>,
): Promise<void> {
  const late: string[] = [];
  while (late.length < TRIES) {
    const { child, after } = await begin();
    const control = start(process.execPath, ['-e', CONTROL]);
    await once(control.stdout as Readable, 'data');
    const [took, least] = await Promise.all([ended(child, signal, status), ended(control, signal, 0)]);
    await after?.();
    if (took < SOON + TIMES_CONTROL * least) return;
    late.push(`${Math.round(took)} ms, control ${Math.round(least)} ms`);
  }
  expect.fail(`ends late: ${late.join('; ')}`);
}

/** Milliseconds from the signal to the end. */
async function ended(child: ChildProcess, signal: NodeJS.Signals, status: number): Promise<number> {
  const closed = once(child, 'exit');
  const before = performance.now();
  child.kill(signal);
  const [code, by] = await closed;
  const took = performance.now() - before;
  expect(code ?? by).toBe(code === null ? signal : status);
  return took;
}

interface Waiting {
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  stop?(): void;
}

const WAITS: readonly (readonly [string, (world: World) => Promise<Waiting>])[] = [
  [
    'xcluster for the directory of an overlay',
    async (world) => ({
      args: ['getimages', 'some'],
      env: { XCLUSTER: await put(join(world.path, 'xcluster.sh'), hanging(world)) },
    }),
  ],
  [
    'crio.sh for the pause image',
    async (world) => {
      await put(join(world.path, 'ovl/crio/crio.sh'), hanging(world));
      await put(
        join(world.path, 'ovl/one/pod.yaml'),
        'kind: Pod\napiVersion: v1\nspec: {containers: [{name: a, image: "q.io/a/b:1"}]}\n',
      );
      const XCLUSTER = await put(
        join(world.path, 'xcluster.sh'),
        `#! /bin/sh
echo ${join(world.path, 'ovl')}/$2
`,
      );
      return { args: ['lreg_preload', join(world.path, 'ovl/one')], env: { XCLUSTER } };
    },
  ],
  [
    'a credential helper',
    async (world) => {
      await put(join(world.path, 'programs/docker-credential-slow'), hanging(world));
      const server = createServer((_, response) => response.writeHead(401, { 'www-authenticate': 'Basic' }).end());
      await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready));
      const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
      await put(join(world.path, 'docker/config.json'), JSON.stringify({ credHelpers: { [host]: 'slow' } }));
      const env = {
        PATH: `${join(world.path, 'programs')}:${process.env.PATH}`,
        DOCKER_CONFIG: join(world.path, 'docker'),
      };
      const stop = () => {
        server.close();
        server.closeAllConnections();
      };
      return { args: ['inspect', `docker://${host}/a:1`], env, stop };
    },
  ],
  [
    'the tar script of an image',
    async (world) => {
      await put(join(world.path, 'image/tar'), hanging(world));
      await put(join(world.path, 'image/Dockerfile'), 'FROM scratch\nADD ovl.tar /\n');
      return { args: ['mkimage', '--tag=a', join(world.path, 'image')] };
    },
  ],
];

/** A file whose scan takes seconds, all of them of computing. */
const COSTLY = `kind: Pod\napiVersion: v1\n{{ range until 9000 }}{{ sha256sum (repeat 1000000 "ab") }}{{ end }}\n`;

describe.each(SIGNALS)('after %s', (...way) => {
  it.each(WAITS)(
    'the program ends soon while it waits for %s, which is ended with its children',
    async (_, prepare) => {
      await endsSoon(way, async () => {
        const world = await newWorld();
        const { args, env, stop } = await prepare(world);
        const child = world.startImages(args, { ...(env && { env }) });
        const identities = await begun(world, child);
        expect(identities).toHaveLength(4);
        return {
          child,
          async after() {
            stop?.();
            // A killed process may take a moment to end.
            await until(async () => !identities.some(isAlive));
            await world[Symbol.asyncDispose]();
          },
        };
      });
    },
  );

  it('the program ends soon while it waits for a registry that does not answer', async () => {
    await using world = await newWorld();
    let asked = Promise.withResolvers<void>();
    const silent = createServer(() => asked.resolve());
    await new Promise<void>((ready) => silent.listen(0, '127.0.0.1', ready));
    const host = `127.0.0.1:${(silent.address() as AddressInfo).port}`;
    for (const args of [
      ['inspect', `docker://${host}/a:1`],
      ['copy', `docker://${host}/a:1`, `oci:${join(world.path, 'to')}`],
    ]) {
      await endsSoon(way, async () => {
        asked = Promise.withResolvers<void>();
        const child = world.startImages(args);
        await asked.promise;
        return { child };
      });
    }
    silent.close();
    silent.closeAllConnections();
  });

  it('the program ends soon while it computes', async () => {
    await using world = await newWorld();
    await put(join(world.path, 'chart/Chart.yaml'), 'apiVersion: v2\nname: c\nversion: 1.0.0\n');
    for (let file = 0; file < 20; file++) await put(join(world.path, `chart/templates/${file}.yaml`), COSTLY);
    await endsSoon(way, async () => {
      const child = world.startImages(['getimages', join(world.path, 'chart')]);
      // Starting takes a small part of it.
      await eventually(() => processorTime(child.pid as number) > 50);
      return { child };
    });
  });

  const { missing, why } = needs('root', 'unshare', 'mount');
  it.skipIf(missing)(`the program ends soon while it waits for a name to be resolved${why}`, async () => {
    await using world = await newWorld();
    // An address that depends on the process, because a resolver always uses port 53, and other runs of this test may use it too.
    const address = `127.53.${(process.pid >> 8) & 0xff}.${process.pid & 0xff || 1}`;
    let asked = Promise.withResolvers<void>();
    const silent = createSocket('udp4', () => asked.resolve());
    await new Promise<void>((ready) => silent.bind(53, address, ready));
    const resolver = await put(
      join(world.path, 'resolv.conf'),
      `nameserver ${address}\noptions timeout:30 attempts:5\n`,
    );
    const names = await put(join(world.path, 'nsswitch.conf'), 'hosts: files dns\n');
    const script = `mount --bind ${resolver} /etc/resolv.conf && mount --bind ${names} /etc/nsswitch.conf && exec "$@"`;
    const program = [join(ROOT, 'bin/images'), 'inspect', 'docker://registry.example/a:1'];
    await endsSoon(way, async () => {
      asked = Promise.withResolvers<void>();
      const child = start('unshare', ['-m', 'sh', '-c', script, 'sh', ...program], { cwd: world.path, env: world.env });
      await asked.promise;
      return { child };
    });
    silent.close();
  });
});

/** In hundredths of a second: fields 14 and 15 of /proc/PID/stat (proc(5)), counted from the end of the name, which can contain anything. */
function processorTime(pid: number): number {
  const text = readFileSync(`/proc/${pid}/stat`, 'latin1');
  const [user, system] = text
    .slice(text.lastIndexOf(')') + 2)
    .split(' ')
    .slice(11);
  return Number(user) + Number(system);
}
