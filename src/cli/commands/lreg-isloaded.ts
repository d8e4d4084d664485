// `images lreg_isloaded`: an answer by exit status alone.
import { parseReference } from '../../oci/reference.ts';
import { findImage, openPrivateRegistry } from '../../tasks/private-registry.ts';
import { withoutQuotes } from '../../tasks/reference-list.ts';
import type { Run } from '../command.ts';
import { taskSettings } from '../task-settings.ts';

export const run: Run = async ({ args, options, context }) => {
  // Not even whose registry it is.
  const { onNote: _, ...settings } = taskSettings(context, options);
  const reference = parseReference(withoutQuotes(args[0] ?? ''));
  const found = await findImage(reference, await openPrivateRegistry(settings), settings, { whole: true });
  return found ? 0 : 1;
};
