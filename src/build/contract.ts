// The seams of building: what a build is given from outside, and the machine that executes RUN (run/ implements it, evaluate asks it).
import type { Bytes, CallOptions } from '../io/streams/bytes.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import type { Digest } from '../oci/digest.ts';
import type { Platform } from '../oci/platform.ts';
import type { Layer } from '../rootfs/contract.ts';

/** An image that others are built on. */
export interface BaseImage {
  /** What it is called in messages. */
  readonly name: string;
  /** Byte for byte: its history and what it says beside what is known here are carried over. */
  readonly config: Uint8Array;
  /** The base first. */
  readonly layers: readonly Layer[];
}

/** Where images that a Dockerfile names come from: the local store, the private registry, any other. */
export interface Bases {
  /** Errors: MANIFEST_UNKNOWN, PLATFORM_UNKNOWN, REFERENCE_INVALID, those of the place. */
  image(reference: string, platform: Platform, options?: CallOptions): Promise<BaseImage>;
}

/** Where the blobs of what is built go. */
export interface BlobWriter {
  /** Takes bytes whose digest is known only at their end; each chunk is taken over. Nothing stays of one that is not finished. */
  start(): Promise<BlobInProgress>;
  /** A small one. Costs nothing where it is there. */
  put(descriptor: Descriptor, bytes: Uint8Array): Promise<void>;
  /** A layer that was written, to be read again. `undefined` where it is gone. */
  layer(descriptor: Descriptor, diffId: Digest): Promise<Layer | undefined>;
}

export interface BlobInProgress extends AsyncDisposable {
  append(chunk: Uint8Array): Promise<void>;
  finish(digest: Digest): Promise<void>;
}

/** What is remembered of steps, by key. What cannot be kept is no error: it only costs the work again. */
export interface StepCache {
  get(key: string): Promise<Uint8Array | undefined>;
  put(key: string, value: Uint8Array): Promise<void>;
}

/** The numbers of who runs a command. */
export interface RunUser {
  readonly uid: number;
  readonly gid: number;
  /** Further groups. */
  readonly groups: readonly number[];
  /** Where the environment names none. */
  readonly home: string;
}

/** `default` and `host` are the machine's; `private` is one of its own, with a way out. */
export type RunNetwork = 'default' | 'none' | 'host' | 'private';

/** What a command sees beside its root file system. Targets are absolute and clean; none is `/`. Nothing written there comes into the layer. */
export type RunMount =
  | {
      readonly type: 'bind';
      readonly target: string;
      /** What is mounted: the path in the file system that these layers make, the base first. */
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
      /** Of its directory, when it is made. */
      readonly mode: number;
      readonly uid: number;
      readonly gid: number;
      /** What a new cache begins with. */
      readonly layers: readonly Layer[];
      /** The path in the cache that is mounted; it cannot lead out of it. */
      readonly source: string;
    }
  | { readonly type: 'tmpfs'; readonly target: string /** In bytes. */; readonly size?: number }
  | {
      /** A secret, or a heredoc that is run as a file: read-only. */
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
      /** The agent's socket on this machine. */
      readonly socket: string;
      readonly mode: number;
      readonly uid: number;
      readonly gid: number;
    };

export interface RunRequest {
  /** The file system it runs in, the base first. */
  readonly layers: readonly Layer[];
  /** The program and its arguments; a shell is already in front. */
  readonly args: readonly string[];
  /** NAME=value, the image's PATH and proxies included. */
  readonly env: readonly string[];
  /** Absolute; made where it is not there. */
  readonly directory: string;
  readonly user: RunUser;
  readonly network: RunNetwork;
  readonly mounts: readonly RunMount[];
  readonly platform: Platform;
  /** What the command prints, both streams as they come. */
  onOutput?(chunk: Uint8Array): void;
}

export interface RunResult extends AsyncDisposable {
  /** 0: it went well. Nothing is thrown for others. */
  readonly status: number;
  /** Of a status that is not 0: what may be the reason on this machine, and what mends it. */
  readonly hint?: string;
  /** What changed, as the uncompressed tar archive of a layer: whiteouts, opaque directories, whole files. Read once, before disposing. */
  readonly changes: Bytes;
}

/** Executes RUN. Errors of both: RUN_UNAVAILABLE, saying what the machine lacks and what mends it; those of layers. */
export interface Runner {
  /** Before anything is built: whether the machine can. Cheap when asked again. */
  check(platform: Platform, options?: CallOptions): Promise<void>;
  run(request: RunRequest, options?: CallOptions): Promise<RunResult>;
}
