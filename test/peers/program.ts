// The built program as a process with its own temporary home, data, runtime and configuration directories. No variable of the
// machine's environment affects it. IMAGES_TEST_NODE names the Node that runs it; else bin/images finds one.
import type { ChildProcess } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { type Result, type RunOptions, run, start } from './process.ts';
import { freePort, temporaryDirectory } from './temporary.ts';

export const ROOT = resolve(import.meta.dirname, '../..');

export interface World extends AsyncDisposable {
  readonly path: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The directory of the store: the program's default in this world. */
  readonly data: string;
  /** Runs `images ARGS…` to its end. */
  images(args: readonly string[], options?: RunOptions): Promise<Result>;
  /** Runs it to its end, and returns stdout. Throws if the status is not 0. */
  must(args: readonly string[], options?: RunOptions): Promise<string>;
  startImages(args: readonly string[], options?: RunOptions): ChildProcess;
  /** Maps hosts to addresses with plain http: `docker.io` → `127.0.0.1:PORT`. */
  mirror(hosts: Readonly<Record<string, string>>): Promise<void>;
  /** Runs `images lreg_start`, with more options if given, on a free port. The registry ends with the world, which throws if `images lreg_stop` does not end it. */
  startRegistry(options?: readonly string[]): Promise<RunningRegistry>;
}

export interface RunningRegistry {
  readonly host: string;
  readonly base: string;
  readonly port: number;
}

export async function newWorld(): Promise<World> {
  const directory = await temporaryDirectory('world');
  const { path } = directory;
  const env = {
    HOME: path,
    XDG_DATA_HOME: join(path, 'share'),
    XDG_STATE_HOME: join(path, 'state'),
    XDG_CACHE_HOME: join(path, 'cache'),
    XDG_CONFIG_HOME: join(path, 'config'),
    XDG_RUNTIME_DIR: join(path, 'run'),
    IMAGES_RUNTIME: join(path, 'run'),
    CONTAINERS_REGISTRIES_CONF: join(path, 'config/containers/registries.conf'),
    ...Object.fromEntries(FOREIGN.map((name) => [name, undefined])),
  };
  for (const folder of ['share', 'state', 'cache', 'config/containers', 'run']) {
    await mkdir(join(path, folder), { recursive: true, mode: 0o700 });
  }
  await writeFile(env.CONTAINERS_REGISTRIES_CONF, '');
  const node = process.env.IMAGES_TEST_NODE;
  const [command, first] = node ? [node, [join(ROOT, 'dist/images.js')]] : [join(ROOT, 'bin/images'), []];
  const inWorld = (options: RunOptions = {}) => ({ cwd: path, ...options, env: { ...env, ...options.env } });
  const images = (args: readonly string[], options?: RunOptions) => run(command, [...first, ...args], inWorld(options));
  const must = async (args: readonly string[], options?: RunOptions) => {
    const result = await images(args, options);
    if (result.status === 0) return result.stdout;
    throw new Error(`images ${args.join(' ')}: exit ${result.status}\n${result.stdout}${result.stderr}`);
  };
  const registries: number[] = [];
  const stopRegistries = async () => {
    if (registries.length === 0) return;
    const { status, stdout, stderr } = await images(['lreg_stop']);
    const left = await whichRun(registries, path);
    for (const pid of left) process.kill(pid, 'SIGKILL');
    if (status !== 0 || left.length > 0)
      throw new Error(`images lreg_stop: exit ${status}, still running: ${left.length}\n${stdout}${stderr}`);
  };
  return {
    path,
    env,
    data: join(env.XDG_DATA_HOME, 'images'),
    images,
    must,
    startImages: (args, options) => start(command, [...first, ...args], inWorld(options)),
    mirror: (hosts) => writeFile(env.CONTAINERS_REGISTRIES_CONF, registriesConf(hosts)),
    startRegistry: async (options = []) => {
      const port = await freePort();
      const { pid } = JSON.parse(await must(['lreg_start', '--json', `--listen=127.0.0.1:${port}`, ...options]));
      registries.push(pid);
      return { port, host: `127.0.0.1:${port}`, base: `http://127.0.0.1:${port}` };
    },
    [Symbol.asyncDispose]: async () => {
      await using _directory = directory;
      await stopRegistries();
    },
  };
}

/** Those of the processes that are registries of this world: a pid may be another program's by now. */
async function whichRun(pids: readonly number[], path: string): Promise<readonly number[]> {
  const commands = await Promise.all(pids.map((pid) => readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')));
  return pids.filter((_, at) => commands[at]?.includes(path));
}

/** Variables of the machine that would affect the program. */
const FOREIGN: readonly string[] = [
  'LOCAL_REGISTRY',
  'XCLUSTER',
  'XCLUSTER_OVLPATH',
  'XCLUSTER_TMP',
  'IMAGES_PAUSE',
  'IMAGES_DATA',
  'DOCKER_HOST',
  'DOCKER_CONFIG',
  'REGISTRY_AUTH_FILE',
  'http_proxy',
  'https_proxy',
  'HTTP_PROXY',
  'HTTPS_PROXY',
  'no_proxy',
  'NO_PROXY',
  'NODE_OPTIONS',
];

function registriesConf(hosts: Readonly<Record<string, string>>): string {
  return Object.entries(hosts)
    .map(([host, at]) => `[[registry]]\nprefix = "${host}"\nlocation = "${at}"\ninsecure = true\n`)
    .join('\n');
}
