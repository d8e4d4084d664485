// `images lreg_missingimages`: prints full names, one in each line; status 1 if there are any.
import { formatReference } from '../../oci/reference.ts';
import type { Warning } from '../../scan/contract.ts';
import { missingOverlayImages } from '../../tasks/cache/missing-images.ts';
import { chartValues } from '../grammar/chart-values.ts';
import type { Run } from '../grammar/command.ts';
import { taskSettings } from '../grammar/task-settings.ts';
import { whoeverReads } from '../out/answer-out.ts';
import { warningLine } from '../out/scan-warning.ts';
import { writeJson } from '../out/write-json.ts';

export const run: Run = async ({ args, options, context }) => {
  const pause = options.text('pause');
  const request = { items: args, input: context.stdin, ...chartValues(options), ...(pause !== undefined && { pause }) };
  const onWarning = (warning: Warning) => context.note(warningLine(warning));
  const names = await missingOverlayImages({ ...request, onWarning }, taskSettings(context, options));
  const missing = names.map(formatReference);
  if (options.flag('json')) await whoeverReads(writeJson(context, missing));
  else if (missing.length > 0) await whoeverReads(context.out(missing.map((image) => `${image}\n`).join('')));
  return missing.length > 0 ? 1 : 0;
};
