// The seams of building: what a build gets from outside, and the machine that executes RUN (implemented by run/, used by stage/).
import type { Bytes, CallOptions } from '../io/streams/bytes.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import type { Digest } from '../oci/digest.ts';
import type { Platform } from '../oci/platform.ts';
import type { Layer } from '../rootfs/contract.ts';

/** An image on which others are built. */
export interface BaseImage {
  /** The image's name in messages. */
  readonly name: string;
  /** The config, byte for byte: its history and its unknown fields are kept in the new image. */
  readonly config: Uint8Array;
  /** The base first. */
  readonly layers: readonly Layer[];
}

/** The source of images that a Dockerfile names: the local store, the private registry, or any other. */
export interface Bases {
  /** Errors: MANIFEST_UNKNOWN, PLATFORM_UNKNOWN, REFERENCE_INVALID, those of the source. */
  image(reference: string, platform: Platform, options?: CallOptions): Promise<BaseImage>;
}

/** The destination for the blobs of the built image. */
export interface BlobWriter {
  /** Starts a blob whose digest is known only at its end. The writer owns each chunk it gets. An unfinished blob leaves nothing behind. */
  start(): Promise<BlobInProgress>;
  /** Stores a small blob. Cheap if it is already there. */
  put(descriptor: Descriptor, bytes: Uint8Array): Promise<void>;
  /** A stored layer, to be read again. Returns `undefined` if it is gone. */
  layer(descriptor: Descriptor, diffId: Digest): Promise<Layer | undefined>;
}

export interface BlobInProgress extends AsyncDisposable {
  append(chunk: Uint8Array): Promise<void>;
  finish(digest: Digest): Promise<void>;
}

/** Results of steps, by key. Best effort: a record that cannot be stored only means that the step is executed again. */
export interface StepCache {
  get(key: string): Promise<Uint8Array | undefined>;
  put(key: string, value: Uint8Array): Promise<void>;
}

/** The numeric ids of the user that runs a command. */
export interface RunUser {
  readonly uid: number;
  readonly gid: number;
  /** Supplementary groups. */
  readonly groups: readonly number[];
  /** HOME if the environment has none. */
  readonly home: string;
}

/** `default` and `host`: the machine's network. `private`: a network namespace with a connection to the outside. */
export type RunNetwork = 'default' | 'none' | 'host' | 'private';

/** What is mounted beside the root file system. Targets are absolute and normalised; none is `/`. Writes to mounts are not part of the layer. */
export type RunMount =
  | {
      readonly type: 'bind';
      readonly target: string;
      /** The mounted file system consists of these layers, the base first; `source` is a path in it. */
      readonly layers: readonly Layer[];
      readonly source: string;
      readonly readOnly: boolean;
    }
  | {
      readonly type: 'cache';
      readonly target: string;
      readonly id: string;
      readonly sharing: 'shared' | 'private' | 'locked';
      readonly readOnly: boolean;
      /** Mode of the cache directory when it is created. */
      readonly mode: number;
      readonly uid: number;
      readonly gid: number;
      /** Initial content of a new cache. */
      readonly layers: readonly Layer[];
      /** The path inside the cache that is mounted; it cannot escape from the cache. */
      readonly source: string;
    }
  | { readonly type: 'tmpfs'; readonly target: string /** In bytes. */; readonly size?: number }
  | {
      /** A secret, or a heredoc that is executed as a file. Mounted read-only. */
      readonly type: 'file';
      readonly target: string;
      readonly content: Uint8Array;
      readonly mode: number;
      readonly uid: number;
      readonly gid: number;
    }
  | {
      readonly type: 'ssh';
      readonly target: string;
      /** Path of the ssh agent's socket on this machine. */
      readonly socket: string;
      readonly mode: number;
      readonly uid: number;
      readonly gid: number;
    };

export interface RunRequest {
  /** The layers of the root file system, the base first. */
  readonly layers: readonly Layer[];
  /** The program and its arguments. For a shell command, they begin with the shell. */
  readonly args: readonly string[];
  /** NAME=value, with the image's PATH and the proxies. */
  readonly env: readonly string[];
  /** The working directory, absolute. Created if it is missing. */
  readonly directory: string;
  readonly user: RunUser;
  readonly network: RunNetwork;
  readonly mounts: readonly RunMount[];
  readonly platform: Platform;
  /** Called with the output of the command, stdout and stderr interleaved. */
  onOutput?(chunk: Uint8Array): void;
}

export interface RunResult extends AsyncDisposable {
  /** The exit status. A status other than 0 throws nothing. */
  readonly status: number;
  /** If the status is not 0: a possible cause on this machine, and its remedy. */
  readonly hint?: string;
  /** The changes as an uncompressed layer archive, with whiteouts, opaque directories and whole files. Can be read once, and before disposing. */
  readonly changes: Bytes;
}

/** Executes RUN. Errors of both methods: RUN_UNAVAILABLE (tells what the machine lacks, and the remedy), those of layers. */
export interface Runner {
  /** Checks before a build whether this machine can execute RUN. Cheap when repeated. */
  check(platform: Platform, options?: CallOptions): Promise<void>;
  run(request: RunRequest, options?: CallOptions): Promise<RunResult>;
}
