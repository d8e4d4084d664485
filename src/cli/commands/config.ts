// `images config`: --check prints a line for each mistake, --show a line for each key, as TOML.
import { basename, resolve } from 'node:path';
import { ImagesError } from '../../oci/errors.ts';
import { checkConfig } from '../../tasks/private-registry/check-config.ts';
import { showConfig } from '../../tasks/private-registry/show-config.ts';
import type { Run } from '../grammar/command.ts';
import type { Options } from '../grammar/options.ts';
import { configSettings, taskSettings } from '../grammar/task-settings.ts';
import { settingLine } from '../out/setting-lines.ts';
import { writeJson } from '../out/write-json.ts';
import type { Context } from '../process/context.ts';
import { safeText } from '../process/safe-text.ts';

export const run: Run = async ({ args: [file], options, context }) => {
  if (options.flag('check') && options.flag('show'))
    throw new ImagesError('USAGE', '--check and --show are two things', { hint: 'Give one of them.' });
  if (options.flag('check')) return await check(file, options, context);
  if (file === undefined) return await show(options, context);
  throw new ImagesError('USAGE', `a file is named without --check [${file}]`, {
    hint: `To see what it says: --show --config=${file}`,
  });
};

async function check(file: string | undefined, options: Options, context: Context): Promise<number> {
  const checked = await checkConfig(file === undefined ? {} : { file: resolve(file) }, settingsOf(options, context));
  const { isThere, mistakes, warnings } = checked;
  if (options.flag('json')) await writeJson(context, checked);
  else {
    for (const { message, hint } of mistakes)
      await context.out(`${safeText(hint === undefined ? message : `${message}. ${hint}`)}\n`);
  }
  for (const warning of warnings) context.note(`WARNING: ${warning}`);
  if (mistakes.length === 0)
    context.note(isThere ? `No mistakes in ${checked.file}` : `No file, the defaults hold: ${checked.file}`);
  return mistakes.length === 0 ? 0 : 1;
}

async function show(options: Options, context: Context): Promise<number> {
  const shown = await showConfig(settingsOf(options, context));
  if (options.flag('json')) {
    await writeJson(context, shown);
    return 0;
  }
  const whose = shown.pid === undefined ? 'If it is started now' : `The registry that runs, pid ${shown.pid}`;
  await context.out(`# ${safeText(`${whose}: ${shown.file}`)}\n`);
  for (const setting of shown.settings) await context.out(`${settingLine(setting, basename(shown.file))}\n`);
  return 0;
}

function settingsOf(options: Options, context: Context) {
  return { ...taskSettings(context, options), ...configSettings(options) };
}
