// What COPY and ADD read from: a tree of files and the layers that hold their contents. The context, a stage and an image are all one.
import type { Bytes, CallOptions } from '../../io/streams/bytes.ts';
import type { Layer } from '../../rootfs/contract.ts';
import type { Inode, RootTree } from '../../rootfs/tree.ts';

export interface TreeSource {
  /** For messages: `the context`, `stage build`, `alpine:3.20`. */
  readonly name: string;
  readonly tree: RootTree;
  /** Those that the tree was made of. */
  readonly layers: readonly Layer[];
  /** Tells a file's content from others, now and in later builds. */
  contentId(inode: Inode, options?: CallOptions): Promise<string>;
  /** Of a file that is a tar archive, compressed or not; `undefined` for others. */
  archive(inode: Inode, options?: CallOptions): Promise<SourceArchive | undefined>;
}

export interface SourceArchive {
  /** Tells what it holds from others, times aside. */
  readonly id: string;
  /** As it is: compressed or not. */
  open(options?: CallOptions): Promise<Bytes>;
}
