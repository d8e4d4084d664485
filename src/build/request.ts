// What is asked of a build, and what it gives.
import type { CallOptions } from '../io/streams/bytes.ts';
import type { Digest } from '../oci/digest.ts';
import type { RawManifest } from '../oci/manifest.ts';
import type { Platform } from '../oci/platform.ts';
import type { Layer } from '../rootfs/contract.ts';
import type { Bases, BlobWriter, RunNetwork, Runner, StepCache } from './contract.ts';
import type { Dockerfile } from './dockerfile/parse.ts';
import type { TreeSource } from './files/tree-source.ts';
import type { BuiltLayerCompression } from './layer/compression.ts';
import type { TimeChoice } from './layer/times.ts';
import type { BuiltLayerBlob } from './layer/write-layer.ts';

export interface BuildRequest {
  readonly dockerfile: Dockerfile;
  /** Asked for when a step reads from it, once. */
  readonly context: () => Promise<TreeSource>;
  /** The stage to build; the last one where absent. */
  readonly target?: string;
  readonly platform: Platform;
  /** The user has named the platform: the image says that it is for this one. */
  readonly isPlatformNamed?: boolean;
  /** This machine's. */
  readonly buildPlatform: Platform;
  readonly buildArgs: ReadonlyMap<string, string>;
  readonly labels?: ReadonlyMap<string, string>;
  readonly secrets?: ReadonlyMap<string, Uint8Array>;
  /** Sockets of agents, by id. */
  readonly agents?: ReadonlyMap<string, string>;
  /** What RUN gets beside ARG: proxies, in neither history nor key. */
  readonly proxies?: ReadonlyMap<string, string>;
  /** Owners that RUN sets may be passed over, so its layers are not those of builds that keep them. */
  readonly ignoreChownErrors?: boolean;
  /** Of RUN where the Dockerfile says nothing; the machine's where absent. */
  readonly network?: BuildNetwork;
  readonly times: TimeChoice;
  readonly compression: BuiltLayerCompression;
  /** Nothing that is remembered counts. */
  readonly noCache?: boolean;
}

export type BuildNetwork = Extract<RunNetwork, 'none' | 'host' | 'private'>;

/** Of ADD with an address: a tree of one file, named by `nameOfUrl`. Errors: those of HTTP; DIGEST_INVALID where it is not what `checksum` says. */
export type Download = (url: string, options: CallOptions & { readonly checksum?: Digest }) => Promise<TreeSource>;

export interface BuildSeams {
  readonly bases: Bases;
  readonly blobs: BlobWriter;
  readonly cache: StepCache;
  /** Absent where RUN cannot be had. */
  readonly runner?: Runner;
  readonly download?: Download;
  readonly onEvent?: (event: BuildEvent) => void;
  readonly signal?: AbortSignal;
}

export type BuildEvent =
  | { readonly type: 'step'; readonly id: number; readonly stage: string; readonly text: string }
  | {
      readonly type: 'step-done';
      readonly id: number;
      readonly stage: string;
      readonly text: string;
      readonly cached: boolean;
      readonly why: StepOutcome;
    }
  | { readonly type: 'bytes'; readonly id: number; readonly count: number }
  /** What a RUN prints. */
  | { readonly type: 'output'; readonly id: number; readonly stage: string; readonly chunk: Uint8Array }
  | { readonly type: 'warning'; readonly message: string };

/** Why a step was, or was not, done. */
export type StepOutcome =
  /** Its layer is remembered under its key. */
  | 'remembered'
  /** It is remembered under its key that nothing changes. */
  | 'no-change'
  /** Its layer is remembered with other times or compression, and was written anew. */
  | 'rewritten'
  /** Nothing is remembered under its key: something that the key is made of differs, or it was never done. */
  | 'unknown'
  /** It is remembered, and its layer, or the form of it that is asked for, is not there. */
  | 'layer-gone'
  /** What is remembered is not to be used. */
  | 'not-asked';

export interface BuiltImage {
  readonly manifest: RawManifest;
  readonly config: Uint8Array;
  readonly layers: readonly BuiltLayer[];
}

export interface BuiltLayer extends BuiltLayerBlob {
  /** Of this build; the others are the base's. */
  readonly isNew: boolean;
  /** What made it, as the history has it. */
  readonly instruction: string;
  readonly layer: Layer;
}
