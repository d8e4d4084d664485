// Shared by copying commands: a copy with progress on stderr, and its report at the end.
import type { OnCopyEvent } from '../../copy/events.ts';
import type { Settings } from '../../tasks/settings.ts';
import type { TransferResult } from '../../tasks/transfer/transfer-result.ts';
import type { Invocation } from '../grammar/command.ts';
import { taskSettings } from '../grammar/task-settings.ts';
import { expectingMuchData } from '../process/much-data.ts';
import { createReporter } from '../reporter/reporter.ts';
import { reportCopy } from './copy-report.ts';

/** Returns the exit status. */
export async function copying(
  { options, context }: Pick<Invocation, 'options' | 'context'>,
  work: (settings: Settings, onEvent: OnCopyEvent) => Promise<TransferResult>,
): Promise<number> {
  const began = performance.now();
  const reporter = await createReporter(context);
  try {
    const settings = taskSettings(context, options, reporter.note);
    const result = await work(settings, expectingMuchData(reporter.onEvent));
    reporter.finish();
    const elapsed = performance.now() - began;
    return await reportCopy(result, context, { json: options.flag('json'), done: 'copied', elapsed });
  } finally {
    reporter.finish();
  }
}
