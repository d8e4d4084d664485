// The source of COPY and ADD: a tree of files, and the layers with their contents. The context, a stage and an image all have this form.
import type { Bytes, CallOptions } from '../../io/streams/bytes.ts';
import type { Layer } from '../../rootfs/contract.ts';
import type { Inode, RootTree } from '../../rootfs/tree.ts';

export interface TreeSource {
  /** The name in messages: `the context`, `stage build`, `alpine:3.20`. */
  readonly name: string;
  readonly tree: RootTree;
  /** The layers of which the tree was made. */
  readonly layers: readonly Layer[];
  /** An id of the file's content that is the same in later builds. */
  contentId(inode: Inode, options?: CallOptions): Promise<string>;
  /** The file as a tar archive, compressed or not; `undefined` if it is none. */
  archive(inode: Inode, options?: CallOptions): Promise<SourceArchive | undefined>;
}

export interface SourceArchive {
  /** An id of the archive's content, without times. */
  readonly id: string;
  /** The bytes of the file, still compressed. */
  open(options?: CallOptions): Promise<Bytes>;
}
