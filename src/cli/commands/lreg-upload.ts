// `images lreg_upload`: local images into the private registry.
import { uploadImages } from '../../tasks/copy-image.ts';
import type { Run } from '../command.ts';
import { oneCopyOptions } from '../copy-options.ts';
import { copying } from '../copying.ts';

export const run: Run = (invocation) =>
  copying(invocation, (settings, onEvent) => {
    const { args, options } = invocation;
    const tag = options.text('tag');
    return uploadImages(args[0] as string, settings, {
      ...oneCopyOptions(options),
      includeHost: options.flag('include-host') && !options.flag('strip-host'),
      ...(tag !== undefined && { tag }),
      onEvent,
    });
  });
