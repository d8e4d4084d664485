// `images lreg_unpin`.
import { parseReference } from '../../oci/reference.ts';
import { pinnedName } from '../../storage/repositories/pinned-images.ts';
import { withoutQuotes } from '../../tasks/overlays/reference-list.ts';
import { unpinImages } from '../../tasks/private-registry/pin-images.ts';
import { openPrivateRegistry } from '../../tasks/private-registry/private-registry.ts';
import type { Run } from '../grammar/command.ts';
import { taskSettings } from '../grammar/task-settings.ts';
import { writeJson } from '../out/write-json.ts';

export const run: Run = async ({ args, options, context }) => {
  const references = args.map((text) => parseReference(withoutQuotes(text)));
  const registry = await openPrivateRegistry(taskSettings(context, options));
  const unpinned = await unpinImages(references, registry);
  if (options.flag('json')) await writeJson(context, { unpinned: unpinned.map(pinnedName) });
  return 0;
};
