// `images lreg_pin`: pins images, or lists the pins.
import { parseReference } from '../../oci/reference.ts';
import { pinnedName } from '../../storage/repositories/pinned-images.ts';
import { withoutQuotes } from '../../tasks/overlays/reference-list.ts';
import { listPins, pinImages } from '../../tasks/private-registry/pin-images.ts';
import { openPrivateRegistry } from '../../tasks/private-registry/private-registry.ts';
import type { Run } from '../grammar/command.ts';
import { taskSettings } from '../grammar/task-settings.ts';
import { outLines } from '../out/out-lines.ts';
import { writeJson } from '../out/write-json.ts';

export const run: Run = async ({ args, options, context }) => {
  const settings = taskSettings(context, options);
  const references = args.map((text) => parseReference(withoutQuotes(text)));
  const registry = await openPrivateRegistry(settings);
  if (references.length > 0) {
    const pinned = await pinImages(references, registry, settings);
    if (options.flag('json')) await writeJson(context, { pinned: pinned.map(pinnedName) });
    return 0;
  }
  const pins = await listPins(registry);
  if (options.flag('json')) await writeJson(context, pins);
  else await outLines(context, pins, (pin) => `${pinnedName(pin)}${pin.digest ? '' : ' (no longer there)'}`);
  return 0;
};
