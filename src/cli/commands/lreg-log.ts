// `images lreg_log`: the log of the embedded registry, wherever it is.
import { parseAge } from '../../io/text/age.ts';
import { LOG_LEVELS, type LogLevel } from '../../observe/operator-event.ts';
import { ImagesError } from '../../oci/errors.ts';
import { type LogLine, type ReadLogRequest, readRegistryLog } from '../../tasks/private-registry/read-log.ts';
import type { Run } from '../grammar/command.ts';
import { type Options, positiveNumber } from '../grammar/options.ts';
import { taskSettings } from '../grammar/task-settings.ts';
import { safeJson, safeText } from '../process/safe-text.ts';

export const run: Run = async ({ options, context }) => {
  const isJson = options.flag('json');
  for await (const line of readRegistryLog(requestOf(options), taskSettings(context, options))) {
    await context.out(`${isJson ? safeJson(JSON.stringify(objectOf(line))) : textOf(line)}\n`);
  }
  return 0;
};

function requestOf(options: Options): ReadLogRequest {
  const [lines, since, level] = [options.text('lines'), options.text('since'), options.text('level')];
  return {
    ...(options.flag('follow') && { follow: true }),
    ...(lines !== undefined && { lines: positiveNumber(lines, '--lines') }),
    // Who names a time wants all since then.
    ...(lines === undefined && since !== undefined && { lines: 1_000_000 }),
    ...(since !== undefined && { sinceMs: parseAge(since, '--since') }),
    ...(level !== undefined && { level: levelOf(level) }),
  };
}

function levelOf(text: string): LogLevel {
  const level = LOG_LEVELS.find((known) => known === text);
  if (level) return level;
  throw new ImagesError('USAGE', `not a level [--level=${text}]`, { hint: `Write ${LOG_LEVELS.join(', ')}.` });
}

const WORDS: Readonly<Record<LogLevel, string>> = { error: 'ERROR: ', warn: 'WARNING: ', info: '', debug: '' };

function textOf({ line, time, level, message, json }: LogLine): string {
  return safeText(json ? `${time} ${WORDS[level]}${message}` : line);
}

function objectOf({ time, level, message, json }: LogLine): unknown {
  return json ?? { ...(time !== undefined && { time }), level, message };
}
