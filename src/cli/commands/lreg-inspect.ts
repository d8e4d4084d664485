// `images lreg_inspect`: prints JSON like `skopeo inspect`; --raw and --config print the stored bytes.
import { parsePlatform } from '../../oci/platform.ts';
import { parseReference } from '../../oci/reference.ts';
import { inspectImage } from '../../tasks/look/inspect-image.ts';
import { withoutQuotes } from '../../tasks/overlays/reference-list.ts';
import { openPrivateRegistry } from '../../tasks/private-registry/private-registry.ts';
import type { Run } from '../grammar/command.ts';
import { taskSettings } from '../grammar/task-settings.ts';
import { safeJson } from '../process/safe-text.ts';

export const run: Run = async ({ args, options, context }) => {
  const settings = taskSettings(context, options);
  const platform = options.text('platform');
  const registry = await openPrivateRegistry(settings);
  const { root, config, inspection } = await inspectImage(parseReference(withoutQuotes(args[0] ?? '')), registry, {
    settings,
    ...(platform !== undefined && { platform: parsePlatform(platform) }),
  });
  if (options.flag('raw')) await context.out(root.bytes);
  else if (options.flag('config')) await context.out(config);
  else await context.out(`${safeJson(JSON.stringify(inspection, null, 4))}\n`);
  return 0;
};
