// `images cat`: files of an image, one after the other.
import { readImageFile } from '../../tasks/look/read-file.ts';
import { openImage } from '../../tasks/transfer/tree-source.ts';
import type { Run } from '../grammar/command.ts';
import { looking } from '../out/look.ts';
import { streamOut } from '../out/stream-out.ts';

export const run: Run = ({ args, ...invocation }) =>
  looking(invocation, 'store', async ({ look, settings }, quiet) => {
    const [name = '', ...paths] = args;
    await using image = await openImage(look(name), settings);
    for (const path of paths) {
      const content = await readImageFile(image, path, settings);
      quiet();
      await streamOut(content);
    }
    return 0;
  });
