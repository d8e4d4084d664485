// A Debian node as a container of podman (root only), with containerd in it: /usr is this machine's, all else is its own. Stands for nodes
// of kind and of k3s, whose images are not to be had everywhere.
import { chmod, cp, mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { TESTED_CONTAINERD } from './containerd.ts';
import { because, type Needs, needs } from './find.ts';
import { must, type Result, run, until } from './process.ts';

/** podman with a store of its own, as a program on the path, as other programs call it. */
export interface ContainerHost extends AsyncDisposable {
  /** A path for programs that call `podman`; a `docker` on it knows no daemon. */
  readonly PATH: string;
  startNode(options: NodeOptions): Promise<NodeContainer>;
}

export interface NodeOptions {
  readonly name: string;
  readonly labels?: readonly string[];
  /** Files of the node, by their path without a leading slash. */
  readonly files?: Readonly<Record<string, string>>;
  /** Directories of this machine that the node sees, by its path, read-only. */
  readonly mounts?: Readonly<Record<string, string>>;
  /** What it runs. Default: containerd. */
  readonly command?: readonly string[];
}

export interface NodeContainer {
  /** Of its file system, as this machine sees it. */
  readonly root: string;
  /** containerd's socket, as this machine sees it. */
  readonly socket: string;
  exec(...command: readonly string[]): Promise<string>;
  tryExec(...command: readonly string[]): Promise<Result>;
}

/** What is needed for such containers; others are for what runs in them. */
export function containerNeeds(...programs: readonly string[]): Needs {
  return because([
    needs('root', 'podman', 'runc', 'containerd', 'ctr', ...programs).why.replace(/^ \(skipped: (.*)\)$/, '$1'),
  ]);
}

/** As in podman.ts: for machines with hybrid cgroups and low resource limits. */
const RUN = ['--privileged', '--network=host', '--ulimit=nofile=1024:1024', '--ulimit=nproc=1000:1000'];
/** In the node: another containerd. */
const PROGRAMS = '/opt/containerd';
const SOCKET = 'run/containerd/containerd.sock';

export async function containerHost(directory: string): Promise<ContainerHost> {
  const at = (name: string) => join(directory, name);
  await mkdir(at('bin'), { recursive: true });
  const podman = `exec /usr/bin/podman --root '${at('root')}' --runroot '${at('runroot')}' --storage-driver=overlay --cgroup-manager=cgroupfs --runtime=/usr/sbin/runc "$@"`;
  await script(at('bin/podman'), podman);
  await script(at('bin/docker'), 'echo no daemon >&2; exit 1');
  const started: string[] = [];
  return {
    PATH: `${at('bin')}:${process.env.PATH}`,
    async startNode({ name, labels = [], files = {}, mounts = {}, command = ['containerd'] }) {
      const root = at(name);
      await bareRoot(root, files);
      const newer = TESTED_CONTAINERD === undefined ? {} : { [PROGRAMS]: TESTED_CONTAINERD };
      const volumes = Object.entries({ '/usr': '/usr', ...newer, ...mounts }).map(
        ([path, from]) => `--volume=${from}:${path}:ro`,
      );
      started.push(name);
      await must(at('bin/podman'), [
        ...['run', '--detach', ...RUN, `--name=${name}`, ...labels.map((label) => `--label=${label}`), ...volumes],
        ...[`--env=PATH=${PROGRAMS}:/usr/sbin:/usr/bin`, `--volume=${root}/run:/run`, '--rootfs', root, ...command],
      ]);
      const tryExec: NodeContainer['tryExec'] = (...asked) => run(at('bin/podman'), ['exec', name, ...asked]);
      const exec: NodeContainer['exec'] = (...asked) => must(at('bin/podman'), ['exec', name, ...asked]);
      return { root, socket: join(root, SOCKET), exec, tryExec };
    },
    async [Symbol.asyncDispose]() {
      for (const name of started) await run(at('bin/podman'), ['rm', '--force', '--time=2', name]);
      // What podman starts at a container's end mounts its store again.
      await until(async () => !(await isAnyRunning(at('runroot'))));
      await run('umount', ['-R', '-l', at('root/overlay')]);
    },
  };
}

/** Resolves when containerd answers there, at this address. */
export async function untilContainerd(node: NodeContainer, address = `/${SOCKET}`): Promise<void> {
  await until(async () => (await node.exec('ctr', `--address=${address}`, 'version')) !== '');
}

async function bareRoot(root: string, files: Readonly<Record<string, string>>): Promise<void> {
  for (const name of ['etc', 'var/lib', 'run', 'tmp', 'proc', 'sys', 'dev', 'root', 'usr'])
    await mkdir(join(root, name), { recursive: true });
  for (const name of ['bin', 'sbin', 'lib', 'lib64']) await symlink(`usr/${name}`, join(root, name));
  await cp('/etc/passwd', join(root, 'etc/passwd'));
  await writeFile(join(root, 'etc/hosts'), '127.0.0.1 localhost\n');
  for (const [path, text] of Object.entries(files)) {
    await mkdir(join(root, path, '..'), { recursive: true });
    await writeFile(join(root, path), text);
  }
}

/** Whether there is a process with this directory among its arguments. */
async function isAnyRunning(directory: string): Promise<boolean> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const commands = await Promise.all(pids.map((pid) => readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')));
  return commands.some((command) => command.includes(directory));
}

async function script(path: string, body: string): Promise<void> {
  await writeFile(path, `#!/bin/sh\n${body}\n`);
  await chmod(path, 0o755);
}
