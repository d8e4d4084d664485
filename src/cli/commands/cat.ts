// `images cat`: files of an image, one after the other.
import { ImagesError } from '../../oci/errors.ts';
import { fileContent } from '../../rootfs/file-content.ts';
import { findInLayers } from '../../rootfs/find-file.ts';
import { pathInRoot } from '../../rootfs/path.ts';
import { printableName } from '../../tar/names.ts';
import { noSuchPath } from '../../tasks/look/list-files.ts';
import { openImage } from '../../tasks/transfer/tree-source.ts';
import type { Run } from '../grammar/command.ts';
import { looking } from '../out/look.ts';
import { streamOut } from '../out/stream-out.ts';

export const run: Run = (invocation) =>
  looking(invocation, 'store', async ({ look, settings }, quiet) => {
    const { args, context } = invocation;
    const [name = '', ...paths] = args;
    const { signal } = context;
    await using image = await openImage(look(name), settings);
    for (const path of paths) {
      const found = await findInLayers(image.layers, pathInRoot(path), { follow: true, signal });
      if (!found) throw noSuchPath(path);
      const { entry, layer: at } = found.node.inode;
      const layer = image.layers[at];
      if (entry?.type !== 'file' || !layer) throw notAFile(path, entry?.type ?? 'directory');
      quiet();
      await streamOut(fileContent(layer, entry, { signal }));
    }
    return 0;
  });

function notAFile(path: string, type: string): ImagesError {
  return new ImagesError('PATH_UNKNOWN', `a ${type}, not a file [${printableName(path)}]`, {
    hint: '`images ls IMAGE PATH` shows what it is.',
  });
}
