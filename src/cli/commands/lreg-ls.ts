// `images lreg_ls`: `NAME:`, then two spaces and the tags as a compact JSON array.
import { listFullNames, listRegistry } from '../../tasks/private-registry/list-registry.ts';
import { openPrivateRegistry } from '../../tasks/private-registry/private-registry.ts';
import type { Run } from '../grammar/command.ts';
import { taskSettings } from '../grammar/task-settings.ts';
import { writeJson } from '../out/write-json.ts';

export const run: Run = async ({ options, context }) => {
  const settings = taskSettings(context, options);
  const list = options.flag('hosts') ? listFullNames : listRegistry;
  const registry = await openPrivateRegistry(settings);
  const repositories = await list(registry, settings);
  if (options.flag('json')) {
    const { withPulls } = await import('../../tasks/private-registry/image-pulls.ts');
    const { withFetched } = await import('../../tasks/private-registry/fetched-images.ts');
    await writeJson(context, await withFetched(await withPulls(repositories, registry, settings), registry));
    return 0;
  }
  const text = repositories.map(({ name, tags }) => `${name}:\n  ${JSON.stringify(tags)}\n`).join('');
  if (text) await context.out(text);
  return 0;
};
