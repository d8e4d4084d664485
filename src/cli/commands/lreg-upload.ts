// `images lreg_upload`: copies local images into the private registry.
import { uploadImages } from '../../tasks/transfer/copy-image.ts';
import type { Run } from '../grammar/command.ts';
import { oneCopyOptions } from '../grammar/copy-options.ts';
import { copying } from '../out/copying.ts';

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
