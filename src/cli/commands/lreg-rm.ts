// `images lreg_rm`.
import { formatReference, parseReference } from '../../oci/reference.ts';
import { withoutQuotes } from '../../tasks/overlays/reference-list.ts';
import { openPrivateRegistry } from '../../tasks/private-registry/private-registry.ts';
import { removeImages } from '../../tasks/private-registry/remove-image.ts';
import type { Run } from '../grammar/command.ts';
import { taskSettings } from '../grammar/task-settings.ts';
import { writeJson } from '../out/write-json.ts';

export const run: Run = async ({ args, options, context }) => {
  const settings = taskSettings(context, options);
  const references = args.map((text) => parseReference(withoutQuotes(text)));
  const registry = await openPrivateRegistry(settings);
  await removeImages(references, registry, settings, { force: options.flag('force') });
  if (options.flag('json')) await writeJson(context, { removed: references.map(formatReference) });
  return 0;
};
