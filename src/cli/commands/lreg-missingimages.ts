// `images lreg_missingimages`: prints full names, one in each line; status 1 if there are any.
import { formatReference } from '../../oci/reference.ts';
import { missingImages } from '../../tasks/cache/missing-images.ts';
import { overlayImages } from '../../tasks/overlays/overlay-images.ts';
import { pauseImage } from '../../tasks/overlays/pause-image.ts';
import { openPrivateRegistry } from '../../tasks/private-registry/private-registry.ts';
import { chartValues } from '../grammar/chart-values.ts';
import type { Run } from '../grammar/command.ts';
import { taskSettings } from '../grammar/task-settings.ts';
import { whoeverReads } from '../out/answer-out.ts';
import { warningLine } from '../out/scan-warning.ts';
import { writeJson } from '../out/write-json.ts';

export const run: Run = async ({ args, options, context }) => {
  const settings = taskSettings(context, options);
  const registry = await openPrivateRegistry(settings);
  const pause = await pauseImage(options.text('pause'), settings);
  const found = await overlayImages({ items: args, input: context.stdin, ...chartValues(options) }, settings);
  for (const warning of found.warnings) context.note(warningLine(warning));
  const images = [...(pause === undefined ? [] : [pause]), ...found.images];
  const missing = (await missingImages(images, registry, settings)).map(formatReference);
  if (options.flag('json')) await whoeverReads(writeJson(context, missing));
  else if (missing.length > 0) await whoeverReads(context.out(missing.map((image) => `${image}\n`).join('')));
  return missing.length > 0 ? 1 : 0;
};
