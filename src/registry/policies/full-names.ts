// Full names, HOST/PATH:TAG, beside a registry whose repositories have names without hosts: what the policy host-names asks for.
import type { Digest } from '../../oci/digest.ts';

export interface NameRecord {
  readonly host: string;
  readonly path: string;
  readonly tag: string;
  readonly digest: Digest;
}

/** All spellings of a full name are one: `index.docker.io/alpine` is `docker.io/library/alpine`. */
export interface NameRecords {
  get(host: string, path: string, tag: string): Promise<Digest | undefined>;
  /** Durable when it returns. */
  set(host: string, path: string, tag: string, digest: Digest): Promise<void>;
  /** No error where there is none. Durable when it returns. */
  delete(host: string, path: string, tag: string): Promise<void>;
  /** The hosts that this path and tag are recorded for, in byte order. */
  hostsOf(path: string, tag: string): Promise<readonly { readonly host: string; readonly digest: Digest }[]>;
  /** The tags recorded for a host's path, in byte order. */
  tags(host: string, path: string): Promise<readonly string[]>;
  /** The tags recorded for this path, whatever the host. */
  tagsOfAnyHost(path: string): Promise<ReadonlySet<string>>;
  /** All records of one path, whatever the host and tag. */
  ofPath(path: string): AsyncIterable<NameRecord>;
  /** In byte order of their full names. */
  all(): AsyncIterable<NameRecord>;
}
