// `images lreg_rm`.
import { parseReference } from '../../oci/reference.ts';
import { openPrivateRegistry } from '../../tasks/private-registry.ts';
import { withoutQuotes } from '../../tasks/reference-list.ts';
import { removeImage } from '../../tasks/remove-image.ts';
import type { Run } from '../command.ts';
import { taskSettings } from '../task-settings.ts';

export const run: Run = async ({ args, options, context }) => {
  const settings = taskSettings(context, options);
  const references = args.map((text) => parseReference(withoutQuotes(text)));
  const registry = await openPrivateRegistry(settings);
  for (const reference of references) await removeImage(reference, registry, settings);
  return 0;
};
