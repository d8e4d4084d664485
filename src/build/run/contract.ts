// What executes RUN: `Runner` (../contract.ts) on this machine, what it needs to be told, and what it found here.
import type { CallOptions } from '../../io/streams/bytes.ts';
import type { Runner } from '../contract.ts';

export interface RunnerSettings {
  /** Holds unpacked layers, cache mounts and what is running; it is made private to the user. On a file system that overlayfs can write to, best. */
  readonly directory: string;
  /** Where programs are looked for, as in `PATH`; the directories of root's programs are looked at too. */
  readonly path: string;
  /** /etc/resolv.conf and /etc/hosts of the container; the machine's where absent. */
  readonly resolvConf?: string;
  readonly hosts?: string;
  /** `buildkitsandbox` where absent, as BuildKit's. */
  readonly hostname?: string;
  /** Of /dev/shm, in bytes; 64 MiB where absent. */
  readonly shmSize?: number;
  /** A user with one id only: owners that cannot be set are passed over. */
  readonly ignoreChownErrors?: boolean;
  /** Unpacked layers are removed, the least recently used first, when there are more bytes of them; 20 GB where absent. */
  readonly maxSnapshotBytes?: number;
  /** Takes only this runtime. */
  readonly runtime?: RuntimeName;
  /** `false`: layers are copied for each RUN, as where overlayfs is refused. */
  readonly overlay?: boolean;
}

export type RuntimeName = 'runc' | 'crun' | 'bwrap' | 'unshare';

/** Whose files there can be: `all` as root, `many` with subordinate ids, `one` without: all files are the user's, root's in the container. */
export type Owners = 'all' | 'many' | 'one';

export interface Machine {
  readonly owners: Owners;
  readonly runtime: RuntimeName;
  /** Layers are mounted one on the other; else they are copied for each RUN. */
  readonly overlay: boolean;
}

/** What is missing, and the command or package that mends it. */
export interface Lack {
  readonly what: string;
  readonly mend: string;
}

export type Probe =
  | {
      readonly possible: true;
      readonly machine: Machine /** What would be better. */;
      readonly wishes: readonly Lack[];
    }
  | { readonly possible: false; readonly lacks: readonly Lack[] };

export interface RunMachine extends Runner {
  /** What is there, found out by trying; remembered until the next boot. */
  probe(options?: CallOptions): Promise<Probe>;
  /** Removes unpacked layers that nobody uses, what dead builds left, and with `caches` the content of cache mounts. Returns the bytes that this freed. */
  clean(options?: CallOptions & { readonly caches?: boolean }): Promise<number>;
}
