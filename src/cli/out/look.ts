// Shared by commands that look into images: their options for tasks, and progress while layers are read.
import { ImagesError } from '../../oci/errors.ts';
import { type Platform, parsePlatformChoice } from '../../oci/platform.ts';
import type { Settings } from '../../tasks/settings.ts';
import type { SourceOrder } from '../../tasks/transfer/open-source.ts';
import type { LookOptions } from '../../tasks/transfer/tree-source.ts';
import type { Invocation } from '../grammar/command.ts';
import { taskSettings } from '../grammar/task-settings.ts';
import { collectGarbage, expectingMuchData } from '../process/much-data.ts';
import { createReporter } from '../reporter/reporter.ts';

export interface Looking {
  readonly settings: Settings;
  look(image: string): LookOptions;
}

/** Call it before output begins: it ends the progress. `toFile`: the output is a file, which must be removed on an interruption, so signals are handled again. */
export type Quiet = (output?: { readonly toFile?: boolean }) => void;

/** Runs `work` with progress on stderr. `work` must call `quiet` before it writes to stdout. */
export async function looking<T>(
  { options, context }: Pick<Invocation, 'options' | 'context'>,
  order: SourceOrder,
  work: (looking: Looking, quiet: Quiet) => Promise<T>,
): Promise<T> {
  const platform = onePlatform(options.text('platform'));
  const reporter = await createReporter(context);
  const onEvent = expectingMuchData(reporter.onEvent);
  const settings = taskSettings(context, options, reporter.note);
  const look = (image: string): LookOptions => ({ image, order, onEvent, ...(platform && { platform }) });
  const computed = Promise.withResolvers<void>();
  const quiet: Quiet = ({ toFile = false } = {}) => {
    reporter.finish();
    collectGarbage();
    if (toFile) computed.resolve();
  };
  // Large trees take seconds to compute, and there is nothing to clean up: meanwhile a signal may kill the process.
  const { whileComputing } = context.interruption;
  try {
    const done = work({ settings, look }, quiet);
    // If an interruption rejects first, a later rejection of `done` must not count as unhandled.
    done.catch(() => undefined);
    await whileComputing(() => Promise.race([done, computed.promise]));
    return await done;
  } finally {
    reporter.finish();
  }
}

/** Errors: PLATFORM_INVALID for `all` and for lists, because the command looks at one image. */
export function onePlatform(text: string | undefined): Platform | undefined {
  if (text === undefined) return undefined;
  const choice = parsePlatformChoice(text);
  const [platform, ...more] = choice === 'all' ? [] : choice;
  if (platform && more.length === 0) return platform;
  throw new ImagesError('PLATFORM_INVALID', `not one platform [${text}]`, {
    hint: 'Name one, for example linux/arm64.',
  });
}
