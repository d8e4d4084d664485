// `docker_export`: the file system of an image as one tar archive.

import type { Bytes } from '../../io/streams/bytes.ts';
import { ARRAY, checkArguments, OBJECT, objectWith } from '../../oci/arguments.ts';
import { exportTree } from '../../rootfs/export-tree.ts';
import { OPTIONS } from '../arguments.ts';
import { callOptions, type TaskCall } from '../settings.ts';
import type { ImageTree } from '../transfer/tree-source.ts';

/**
 * An archive like that of `docker export` for a container. The image must stay open until it is read. Errors, while it is read: TAR_INVALID,
 * COMPRESSION_INVALID, those of the transport.
 */
export function exportImage(image: Pick<ImageTree, 'tree' | 'layers'>, call: TaskCall = {}): Bytes {
  checkArguments({ image: [image, objectWith({ tree: OBJECT, layers: ARRAY })], call: [call, OPTIONS] });
  const { tree, layers } = image;
  return exportTree(tree, layers, callOptions(call));
}
