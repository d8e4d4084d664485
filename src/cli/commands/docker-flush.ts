// `images docker_flush`: removes all containers and images of the Docker daemon.
import { ImagesError } from '../../oci/errors.ts';
import { flushDocker } from '../../tasks/transfer/flush-docker.ts';
import type { Run } from '../grammar/command.ts';
import { taskSettings } from '../grammar/task-settings.ts';
import { writeJson } from '../out/write-json.ts';
import { formatCount } from '../reporter/format.ts';

export const run: Run = async ({ options, context }) => {
  if (!options.flag('really')) {
    throw new ImagesError('USAGE', 'this removes ALL containers and images of the Docker daemon [--really is absent]', {
      hint: 'Add --really if that is meant.',
    });
  }
  const result = await flushDocker(taskSettings(context), (event) => {
    if (event.type === 'container-removed') context.note(`Removed container ${event.name || event.id}`);
    if (event.type === 'image-removed') context.note(`Removed image ${event.tags.join(', ') || event.id}`);
    if (event.type === 'failed') context.note(`FAILED ${event.what} ${event.id}: ${event.error.message}`);
  });
  const { containers, images, failed } = result;
  if (options.flag('json')) {
    await writeJson(context, {
      containers,
      images,
      failed: failed.map(({ id, error }) => ({ id, message: error.message })),
    });
  }
  const left = failed.length > 0 ? `, ${failed.length} left` : '';
  context.note(`${formatCount(containers, 'container')} and ${formatCount(images, 'image')} removed${left}`);
  return failed.length > 0 ? 1 : 0;
};
