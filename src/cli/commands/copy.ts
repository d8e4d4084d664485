// `images copy`: an image from any location to any other.
import { copyImage } from '../../tasks/transfer/copy-image.ts';
import type { Run } from '../grammar/command.ts';
import { oneCopyOptions } from '../grammar/copy-options.ts';
import { claimStdout, isStdout } from '../out/archive-out.ts';
import { copying } from '../out/copying.ts';

export const run: Run = (invocation) =>
  copying(invocation, (settings, onEvent) => {
    const { args, options } = invocation;
    const [from = '', to = ''] = args;
    if (isStdout(to) && !options.flag('dry-run')) claimStdout(to, options.flag('json') ? '--json' : undefined);
    return copyImage({ from, to }, settings, { ...oneCopyOptions(options), onEvent });
  });
