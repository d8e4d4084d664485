// `cat`: reads a file of an image, and no more layers than necessary.

import type { Bytes } from '../../io/streams/bytes.ts';
import { checkArguments, TEXT } from '../../oci/arguments.ts';
import { ImagesError } from '../../oci/errors.ts';
import { fileContent } from '../../rootfs/file-content.ts';
import { findInLayers } from '../../rootfs/find-file.ts';
import { pathInRoot } from '../../rootfs/path.ts';
import { printableName } from '../../tar/names.ts';
import { OPEN_IMAGE, OPTIONS } from '../arguments.ts';
import { callOptions, type TaskCall } from '../settings.ts';
import type { OpenedImage } from '../transfer/tree-source.ts';
import { noSuchPath } from './list-files.ts';

/**
 * The content of a file; links are followed. The image must stay open until it is read. Errors: PATH_UNKNOWN (no such path, or no file); TAR_INVALID,
 * COMPRESSION_INVALID, those of the transport.
 */
export async function readImageFile(
  image: Pick<OpenedImage, 'layers'>,
  path: string,
  call: TaskCall = {},
): Promise<Bytes> {
  checkArguments({ image: [image, OPEN_IMAGE], path: [path, TEXT], call: [call, OPTIONS] });
  const { layers } = image;
  const found = await findInLayers(layers, pathInRoot(path), { follow: true, ...callOptions(call) });
  if (!found) throw noSuchPath(path);
  const { entry, layer: at } = found.node.inode;
  const layer = layers[at];
  if (entry?.type !== 'file' || !layer) throw notAFile(path, entry?.type ?? 'directory');
  return fileContent(layer, entry, callOptions(call));
}

function notAFile(path: string, type: string): ImagesError {
  return new ImagesError('PATH_UNKNOWN', `a ${type}, not a file [${printableName(path)}]`, {
    hint: '`images ls IMAGE PATH` shows what it is.',
  });
}
