// podman and skopeo with their own store (root only): graph root and run root are in one directory.
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { must, type Result, run } from './process.ts';

/** Disposing unmounts what the driver keeps mounted. */
export interface PodmanStore extends AsyncDisposable {
  /** The graph root. */
  readonly root: string;
  /** What follows `containers-storage:`. */
  readonly spec: string;
  podman(...args: readonly string[]): Promise<string>;
  tryPodman(...args: readonly string[]): Promise<Result>;
  /** Runs a container to its end, and returns its output. */
  run(image: string, ...command: readonly string[]): Promise<string>;
  /** Names, types, modes, owners, sizes, links, times and attributes of all files of the mounted image, except the root, which podman always makes alike. */
  files(image: string): Promise<readonly string[]>;
}

/** For machines with hybrid cgroups and low resource limits. */
const RUN = ['--network=host', '--ulimit=nofile=1024:1024', '--ulimit=nproc=1000:1000'];

const LIST = `cd "$0"
find . -mindepth 1 -printf '%p\\t%y\\t%m\\t%U:%G\\t%n\\t%l\\t%T@\\n' -type f -printf 'size\\t%p\\t%s\\n' | LC_ALL=C sort
find . -type f -exec sha256sum {} + | LC_ALL=C sort
find . \\( -type c -o -type b \\) -exec stat -c '%n %t:%T' {} + | LC_ALL=C sort
getfattr -R -h -d -m - -e hex . 2>/dev/null | sed '/^$/d'`;

export async function podmanStore(
  directory: string,
  options: { readonly root?: string; readonly additional?: string } = {},
): Promise<PodmanStore> {
  const root = options.root ?? join(directory, 'root');
  const runRoot = join(directory, 'run');
  await mkdir(runRoot, { recursive: true });
  const additional =
    options.additional === undefined ? [] : [`--storage-opt=additionalimagestore=${options.additional}`];
  const global = ['--root', root, '--runroot', runRoot, '--storage-driver=overlay', ...additional];
  const runtime = ['--cgroup-manager=cgroupfs', '--runtime=/usr/sbin/runc'];
  const podman = (...args: readonly string[]) => must('podman', [...global, ...runtime, ...args]);
  return {
    root,
    spec: `[overlay@${root}+${runRoot}]`,
    podman,
    tryPodman: (...args) => run('podman', [...global, ...runtime, ...args]),
    run: (image, ...command) => podman('run', '--rm', '--pull=never', ...RUN, image, ...command),
    async files(image) {
      const mounted = (await podman('image', 'mount', image)).trim();
      try {
        return (await must('sh', ['-c', LIST, mounted])).split('\n');
      } finally {
        await podman('image', 'unmount', image);
      }
    },
    async [Symbol.asyncDispose]() {
      await run('umount', ['-R', '-l', join(root, 'overlay')]);
    },
  };
}

/** Unpacks as root, with all attributes that the archive has. */
export async function unpackStore(archive: string, directory: string): Promise<string> {
  await mkdir(directory, { recursive: true });
  await must('tar', ['-C', directory, '--xattrs', '--xattrs-include=*', '-xf', archive]);
  return join(directory, 'var/lib/containers/storage');
}
