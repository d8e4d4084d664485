// The request for a build, and its result.
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
  /** Called once, when the first step reads from the context. */
  readonly context: () => Promise<TreeSource>;
  /** The stage to build; the last one if absent. */
  readonly target?: string;
  readonly platform: Platform;
  /** The user has given the platform explicitly: the image's config states this one. */
  readonly isPlatformNamed?: boolean;
  /** The platform of this machine. */
  readonly buildPlatform: Platform;
  readonly buildArgs: ReadonlyMap<string, string>;
  readonly labels?: ReadonlyMap<string, string>;
  readonly secrets?: ReadonlyMap<string, Uint8Array>;
  /** Sockets of ssh agents, by id. */
  readonly agents?: ReadonlyMap<string, string>;
  /** Environment variables of RUN beside its ARGs: proxies. They are in neither the history nor the key. */
  readonly proxies?: ReadonlyMap<string, string>;
  /** Changing an owner may silently do nothing in RUN. The layers therefore have other keys than those of builds that set owners. */
  readonly ignoreChownErrors?: boolean;
  /** The network of RUN if the Dockerfile gives none; the machine's if absent. */
  readonly network?: BuildNetwork;
  readonly times: TimeChoice;
  readonly compression: BuiltLayerCompression;
  /** Ignores the cache. */
  readonly noCache?: boolean;
}

export type BuildNetwork = Extract<RunNetwork, 'none' | 'host' | 'private'>;

/** Downloads for ADD. Returns a tree of one file, named by `nameOfUrl`. Errors: those of HTTP; DIGEST_INVALID (the content does not match `checksum`). */
export type Download = (url: string, options: CallOptions & { readonly checksum?: Digest }) => Promise<TreeSource>;

export interface BuildSeams {
  readonly bases: Bases;
  readonly blobs: BlobWriter;
  readonly cache: StepCache;
  /** Absent if RUN is not available. */
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
  /** Output of a RUN. */
  | { readonly type: 'output'; readonly id: number; readonly stage: string; readonly chunk: Uint8Array }
  | { readonly type: 'warning'; readonly message: string };

/** Whether a step was executed, and why. */
export type StepOutcome =
  /** The cache has the layer for its key. */
  | 'remembered'
  /** The cache knows that the step with this key changes nothing. */
  | 'no-change'
  /** The cache has the layer with other times or another compression; it was rewritten. */
  | 'rewritten'
  /** The cache has no record for the key: the step was never executed with these inputs. */
  | 'unknown'
  /** The cache has a record, but its layer is gone, or not available in the requested form. */
  | 'layer-gone'
  /** The cache was not to be used. */
  | 'not-asked';

export interface BuiltImage {
  readonly manifest: RawManifest;
  readonly config: Uint8Array;
  readonly layers: readonly BuiltLayer[];
}

export interface BuiltLayer extends BuiltLayerBlob {
  /** Whether this build made the layer; otherwise it is the base's. */
  readonly isNew: boolean;
  /** The instruction that made the layer, as in the history. */
  readonly instruction: string;
  readonly layer: Layer;
}
