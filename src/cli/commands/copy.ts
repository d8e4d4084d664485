// `images copy`: an image from any place to any other.
import { copyImage } from '../../tasks/copy-image.ts';
import { claimStdout, isStdout } from '../archive-out.ts';
import type { Run } from '../command.ts';
import { oneCopyOptions } from '../copy-options.ts';
import { copying } from '../copying.ts';

export const run: Run = (invocation) =>
  copying(invocation, (settings, onEvent) => {
    const { args, options } = invocation;
    const [from = '', to = ''] = args;
    if (isStdout(to) && !options.flag('dry-run')) claimStdout(to, options.flag('json') ? '--json' : undefined);
    return copyImage({ from, to }, settings, { ...oneCopyOptions(options), onEvent });
  });
