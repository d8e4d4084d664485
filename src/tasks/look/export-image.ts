// `docker_export`: the file system of an image as one tar archive.
import type { Bytes } from '../../io/streams/bytes.ts';
import { exportTree } from '../../rootfs/export-tree.ts';
import { callOptions, type TaskCall } from '../settings.ts';
import type { ImageTree } from '../transfer/tree-source.ts';

/** As `docker export` of a container has it. The image stays open until it is read. Errors, while it is read: TAR_INVALID, COMPRESSION_INVALID, those of the place. */
export function exportImage({ tree, layers }: Pick<ImageTree, 'tree' | 'layers'>, call: TaskCall = {}): Bytes {
  return exportTree(tree, layers, callOptions(call));
}
