// What the commands that look into images share: their options as tasks take them, and progress while layers are read.
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

/** Before output begins. `toFile`: it goes to a file that is put away when the command is interrupted. */
export type Quiet = (output?: { readonly toFile?: boolean }) => void;

/** Runs `work` with progress on stderr, which is over when `work` writes to stdout: call `quiet` before. */
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
  // Large trees are computed with for seconds, and nothing that is left behind needs to be put in order.
  const { whileComputing } = context.interruption;
  try {
    const done = work({ settings, look }, quiet);
    // An interruption that came first is told instead.
    done.catch(() => undefined);
    await whileComputing(() => Promise.race([done, computed.promise]));
    return await done;
  } finally {
    reporter.finish();
  }
}

/** Errors: PLATFORM_INVALID for `all` and for lists: one image is looked at. */
export function onePlatform(text: string | undefined): Platform | undefined {
  if (text === undefined) return undefined;
  const choice = parsePlatformChoice(text);
  const [platform, ...more] = choice === 'all' ? [] : choice;
  if (platform && more.length === 0) return platform;
  throw new ImagesError('PLATFORM_INVALID', `not one platform [${text}]`, {
    hint: 'Name one, for example linux/arm64.',
  });
}
