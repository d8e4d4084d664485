// What tasks are told of the world, from the context of the command and its options.
import type { Settings } from '../../tasks/settings.ts';
import { userCache } from '../process/cache.ts';
import type { Context } from '../process/context.ts';
import type { Options } from './options.ts';

/** With options, --data is read from them. `note` instead of the context's, where bars are drawn. */
export function taskSettings(context: Context, options?: Options, note = context.note): Settings {
  const data = options?.text('data');
  const cache = userCache(context.cacheDirectory, context.program[1]);
  return {
    env: context.env,
    home: context.home,
    uid: context.uid,
    temporaryDirectory: context.temporaryDirectory,
    signal: context.signal,
    whileComputing: context.interruption.whileComputing,
    onNote: once(note),
    ...(context.debug && { onDebug: context.debug(note) }),
    ...(data !== undefined && { data }),
    ...(cache && { cache }),
  };
}

/** Several tasks of one command may find the same. */
function once(note: Context['note']): Context['note'] {
  const said = new Set<string>();
  return (line) => {
    if (said.has(line)) return;
    said.add(line);
    note(line);
  };
}
