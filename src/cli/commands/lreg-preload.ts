// `images lreg_preload`.
import { preloadImages } from '../../tasks/cache/preload-images.ts';
import { chartValues } from '../grammar/chart-values.ts';
import type { Run } from '../grammar/command.ts';
import { copyOptions } from '../grammar/copy-options.ts';
import { taskSettings } from '../grammar/task-settings.ts';
import { reportCopy } from '../out/copy-report.ts';
import { warningLine } from '../out/scan-warning.ts';
import { expectingMuchData } from '../process/much-data.ts';
import { createReporter } from '../reporter/reporter.ts';

export const run: Run = async ({ args, options, context }) => {
  const began = performance.now();
  const pause = options.text('pause');
  const reporter = await createReporter(context);
  try {
    const result = await preloadImages(
      { items: args, input: context.stdin, ...chartValues(options) },
      taskSettings(context, options, reporter.note),
      {
        ...copyOptions(options),
        refresh: options.flag('refresh'),
        maybe: options.flag('maybe'),
        ...(pause !== undefined && { pause }),
        onEvent: expectingMuchData(reporter.onEvent),
        onWarning: (warning) => reporter.note(warningLine(warning)),
      },
    );
    reporter.finish();
    const { loaded, skipped } = result;
    const elapsed = performance.now() - began;
    return await reportCopy(result, context, { json: options.flag('json'), elapsed, loaded, skipped });
  } finally {
    reporter.finish();
  }
};
