// The settings of tasks, from the command's context and options.
import { resolve } from 'node:path';
import { type Settings, withoutRepeats } from '../../tasks/settings.ts';
import { userCache } from '../process/cache.ts';
import type { Context } from '../process/context.ts';
import type { Options } from './options.ts';

/** With `options`, --data is used. `note` replaces the context's one where bars are drawn. */
export function taskSettings(context: Context, options?: Options, note = context.note): Settings {
  const data = options?.text('data');
  const cache = userCache(context.cacheDirectory, context.program[1]);
  return withoutRepeats({
    env: context.env,
    home: context.home,
    uid: context.uid,
    temporaryDirectory: context.temporaryDirectory,
    signal: context.signal,
    whileComputing: context.interruption.whileComputing,
    onNote: note,
    ...(context.debug && { onDebug: context.debug(note) }),
    ...(data !== undefined && { data }),
    ...(cache && { cache }),
  });
}

/** For a command that has --config. */
export function configSettings(options: Options): Pick<Settings, 'config'> {
  const config = options.text('config');
  return config === undefined ? {} : { config: resolve(config) };
}
