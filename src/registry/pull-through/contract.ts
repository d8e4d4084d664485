// What pull-through is told of the registry that it stands in, of the hosts that it asks, and what is remembered of what it fetched.
import type { Digest } from '../../oci/digest.ts';
import type { RawManifest } from '../../oci/manifest.ts';
import type { ImageReader, Registry } from '../contract.ts';
import type { NameRecords } from '../policies/full-names.ts';

/** A repository at its own registry; the path as that registry knows it (`library/alpine`). */
export interface UpstreamName {
  readonly host: string;
  readonly path: string;
}

export interface UpstreamTag extends UpstreamName {
  readonly tag: string;
}

/** From where is fetched, and how fresh tags are. */
export interface ProxyRules {
  /** Whether is fetched from this host. */
  has(host: string): boolean;
  /** Whether this very host was named: then requests for a host of this name mean it. */
  names(host: string): boolean;
  /** Milliseconds for which a tag is not looked for again. */
  readonly ttl: number;
  /** Nothing is asked; what was fetched is served. */
  readonly isOffline: boolean;
}

/** Whose a tag is: the proxy's own, which it may move; or somebody's who pushed or cached it. */
export type TagOwner = { readonly is: 'fetched'; readonly digest: Digest } | { readonly is: 'theirs' | 'absent' };

/** Which tags were fetched by the proxy. A tag that somebody pushed or cached since is not among them. */
export interface FetchedTags {
  /** If somebody pushed over the stripped tag, the full name goes, because it would hide what was pushed. Calls must not overlap with those of `note`. */
  ownerOf(name: UpstreamTag): Promise<TagOwner>;
  /** Whether the tag of this stripped name is absent, or the proxy's own. */
  mayMove(path: string, tag: string): Promise<boolean>;
  /** To be called when the full name was recorded; `isMoved`: and the stripped tag with it. */
  note(name: UpstreamTag, digest: Digest, how: { readonly isMoved: boolean }): Promise<void>;
}

/** A manifest that was served while its blobs are not here yet. */
export interface PendingManifest extends UpstreamName {
  readonly manifest: RawManifest;
  readonly tags: readonly string[];
}

/** Pending manifests as they outlive a restart. */
export interface PendingManifests {
  all(): AsyncIterable<PendingManifest>;
  put(pending: PendingManifest): Promise<void>;
  delete(name: UpstreamName, digest: Digest): Promise<void>;
}

export interface PullThroughStore {
  /** The repositories, without rules of access. */
  readonly stripped: Registry;
  readonly names: NameRecords;
  readonly fetched: FetchedTags;
  readonly pending: PendingManifests;
  /** Whether all of the blob is here, for whatever repository. */
  hasBlob(digest: Digest): Promise<boolean>;
}

export type PullThroughEvent =
  /** A blob begins to come from there. */
  | { readonly type: 'fetching'; readonly name: UpstreamName; readonly digest: Digest; readonly size: number }
  /** All of a blob came from there. `bytes`: without what was here before; `duration` in milliseconds. */
  | {
      readonly type: 'fetched';
      readonly name: UpstreamName;
      readonly digest: Digest;
      readonly bytes: number;
      readonly duration: number;
    }
  /** All of an image is here now. */
  | {
      readonly type: 'stored';
      readonly name: UpstreamName;
      readonly digest: Digest;
      readonly tags: readonly string[];
    }
  /** What is here was served, or fetching was put off. */
  | { readonly type: 'trouble'; readonly name: UpstreamName; readonly error: unknown };

export interface PullThroughOptions {
  /** Asked for each request; `undefined`: nothing is fetched. */
  rules(): ProxyRules | undefined;
  /** Errors: UNSUPPORTED if it is this registry itself. */
  upstream(name: UpstreamName): Promise<ImageReader>;
  /** Whether who asks may pull the repository of this stripped name. */
  mayPull(path: string): boolean;
  /** Who asks: parties that want much at once take turns. */
  asker(): string;
  /** Whether everybody may pull everything: else a blob of one repository is served from another only when its own registry has sent it as well. */
  isShared(): boolean;
  /** Whether a tag must not move once it is there. */
  isFixed(path: string, tag: string): boolean;
  /** Of this instance: a request that comes back with it is a loop. */
  readonly id: string;
  readonly onEvent?: (event: PullThroughEvent) => void;
  /** Told of each blob that a client gets: it was here, or had to be fetched. */
  readonly onBlobServed?: (isHit: boolean) => void;
  /** Told of the bytes of blobs as they come: buffers that are garbage soon. */
  readonly onReceived?: (bytes: number) => void;
  /** Milliseconds for which nothing is to come before what has come is brought to the disk. */
  readonly diskRest?: number;
  /** Milliseconds that never go back. */
  readonly now?: () => number;
  /** Ends what is being fetched: what has come is kept. */
  readonly signal: AbortSignal;
}
