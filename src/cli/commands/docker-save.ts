// `images docker_save`: images in one tar archive, each as a nested docker-archive.
import { ImagesError } from '../../oci/errors.ts';
import { saveImages } from '../../tasks/transfer/save-images.ts';
import type { Run } from '../grammar/command.ts';
import { taskSettings } from '../grammar/task-settings.ts';
import { archiveOut } from '../out/archive-out.ts';
import { onePlatform } from '../out/look.ts';

export const run: Run = async ({ args, options, context }) => {
  const output = options.text('output');
  if (output === undefined) {
    throw new ImagesError('USAGE', 'docker_save needs --output=FILE', { hint: '--output=- is standard output.' });
  }
  const out = archiveOut(output, 'The tar archive');
  const platform = onePlatform(options.text('platform'));
  const onImage = (name: string): void => context.note(`=== ${name}`);
  await using saved = await saveImages(args, taskSettings(context, options), {
    ...(platform && { platform }),
    onImage,
  });
  await out(saved.bytes());
  return 0;
};
