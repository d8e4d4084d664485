// `images lreg_rm`.
import { formatReference, parseReference } from '../../oci/reference.ts';
import { openPrivateRegistry } from '../../tasks/private-registry.ts';
import { withoutQuotes } from '../../tasks/reference-list.ts';
import { removeImages } from '../../tasks/remove-image.ts';
import type { Run } from '../command.ts';
import { taskSettings } from '../task-settings.ts';
import { writeJson } from '../write-json.ts';

export const run: Run = async ({ args, options, context }) => {
  const settings = taskSettings(context, options);
  const references = args.map((text) => parseReference(withoutQuotes(text)));
  const registry = await openPrivateRegistry(settings);
  await removeImages(references, registry, settings);
  if (options.flag('json')) await writeJson(context, { removed: references.map(formatReference) });
  return 0;
};
