// `images lreg_preload`.
import { preloadImages } from '../../tasks/preload-images.ts';
import { chartValues } from '../chart-values.ts';
import type { Run } from '../command.ts';
import { copyOptions } from '../copy-options.ts';
import { reportCopy } from '../copy-report.ts';
import { expectingMuchData } from '../much-data.ts';
import { createReporter } from '../reporter/reporter.ts';
import { warningLine } from '../scan-warning.ts';
import { taskSettings } from '../task-settings.ts';

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
