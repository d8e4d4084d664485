// `images lreg_isloaded`: answers by its exit status alone.
import { parseReference } from '../../oci/reference.ts';
import { withoutQuotes } from '../../tasks/overlays/reference-list.ts';
import { findImage, openPrivateRegistry } from '../../tasks/private-registry/private-registry.ts';
import type { Run } from '../grammar/command.ts';
import { taskSettings } from '../grammar/task-settings.ts';

export const run: Run = async ({ args, options, context }) => {
  // No output at all, not even the note about another user's registry.
  const { onNote: _, ...settings } = taskSettings(context, options);
  const reference = parseReference(withoutQuotes(args[0] ?? ''));
  const found = await findImage(reference, await openPrivateRegistry(settings), settings, { whole: true });
  return found ? 0 : 1;
};
