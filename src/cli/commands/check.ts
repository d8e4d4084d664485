// `images check`: whether all parts of an image are consistent.
import { type CheckedPart, checkImage } from '../../tasks/look/check-image.ts';
import type { Run } from '../grammar/command.ts';
import { taskSettings } from '../grammar/task-settings.ts';
import { outQueue, whoeverReads } from '../out/answer-out.ts';
import { partText } from '../out/checked-parts.ts';
import { onePlatform } from '../out/look.ts';
import { writeJson } from '../out/write-json.ts';
import { formatCount } from '../reporter/format.ts';

export const run: Run = async ({ args, options, context }) => {
  const platform = onePlatform(options.text('platform'));
  const json = options.flag('json');
  const lines = outQueue(context);
  const onPart = (part: CheckedPart): void => {
    if (!json) lines.add(partText(part));
  };
  const settings = taskSettings(context, options);
  const checking = { ...(platform && { platform }), onPart };
  const parts = await context.interruption.whileComputing(() => checkImage(args[0] as string, settings, checking));
  await lines.flushed();
  const wrong = parts.reduce((sum, { problems }) => sum + problems.length, 0);
  if (json) await whoeverReads(writeJson(context, { ok: wrong === 0, parts }));
  else context.note(wrong === 0 ? 'All parts agree.' : `${formatCount(wrong, 'problem')}.`);
  return wrong === 0 ? 0 : 1;
};
