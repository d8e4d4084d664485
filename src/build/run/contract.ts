// The implementation of `Runner` (../contract.ts) on this machine: its settings, and what it found out about the machine.
import type { CallOptions } from '../../io/streams/bytes.ts';
import type { Runner } from '../contract.ts';

export interface RunnerSettings {
  /** Holds unpacked layers, cache mounts and running builds. It is made private to the user. Preferably on a file system that overlayfs can use as upper directory. */
  readonly directory: string;
  /** The search path for programs, as in `PATH`; the directories of root's programs are searched, too. */
  readonly path: string;
  /** /etc/resolv.conf and /etc/hosts of the container; the machine's if absent. */
  readonly resolvConf?: string;
  readonly hosts?: string;
  /** Host name of the container; if absent `buildkitsandbox`, as in BuildKit. */
  readonly hostname?: string;
  /** Size of /dev/shm in bytes; 64 MiB if absent. */
  readonly shmSize?: number;
  /** For users with a single id: changing an owner silently does nothing. */
  readonly ignoreChownErrors?: boolean;
  /** The most bytes of unpacked layers; beyond it the least recently used are removed. 20 GB if absent. */
  readonly maxSnapshotBytes?: number;
  /** Uses only this runtime. */
  readonly runtime?: RuntimeName;
  /** `false`: layers are copied for each RUN, as if overlayfs were not available. */
  readonly overlay?: boolean;
}

export type RuntimeName = 'runc' | 'crun' | 'bwrap' | 'unshare';

/** The owners that files can have: `all` (as root), `many` (with subordinate ids), `one` (without: every file is owned by the user, who is root in the container). */
export type Owners = 'all' | 'many' | 'one';

export interface Machine {
  readonly owners: Owners;
  readonly runtime: RuntimeName;
  /** Whether layers are mounted with overlayfs; otherwise they are copied for each RUN. */
  readonly overlay: boolean;
}

/** What the machine lacks, and the command or package that provides it. */
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
  /** Probes the machine. The result is cached until the next boot. */
  probe(options?: CallOptions): Promise<Probe>;
  /** Removes unused unpacked layers, leftovers of dead builds, and with `caches` the content of cache mounts. Returns the number of bytes freed. */
  clean(options?: CallOptions & { readonly caches?: boolean }): Promise<number>;
}
