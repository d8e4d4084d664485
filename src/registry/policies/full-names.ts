// Full names, HOST/PATH:TAG, recorded beside a registry whose repositories have names without hosts. The policy host-names uses them.
import type { Digest } from '../../oci/digest.ts';

export interface NameRecord {
  readonly host: string;
  readonly path: string;
  readonly tag: string;
  readonly digest: Digest;
}

/** All spellings of a full name are equal: `index.docker.io/alpine` is `docker.io/library/alpine`. */
export interface NameRecords {
  get(host: string, path: string, tag: string): Promise<Digest | undefined>;
  /** Durable when it resolves. */
  set(host: string, path: string, tag: string, digest: Digest): Promise<void>;
  /** No error if there is no such record. Durable when it resolves. */
  delete(host: string, path: string, tag: string): Promise<void>;
  /** The hosts for which this path and tag are recorded, in byte order. */
  hostsOf(path: string, tag: string): Promise<readonly { readonly host: string; readonly digest: Digest }[]>;
  /** The tags that are recorded for this host and path, in byte order. */
  tags(host: string, path: string): Promise<readonly string[]>;
  /** The tags that are recorded for this path with any host. */
  tagsOfAnyHost(path: string): Promise<ReadonlySet<string>>;
  /** All records of this path, with any host and tag. */
  ofPath(path: string): AsyncIterable<NameRecord>;
  /** In byte order of their full names. */
  all(): AsyncIterable<NameRecord>;
}
