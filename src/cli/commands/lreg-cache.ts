// `images lreg_cache`.
import { cacheReferences } from '../../tasks/cache-references.ts';
import type { Run } from '../command.ts';
import { copyOptions } from '../copy-options.ts';
import { reportCopy } from '../copy-report.ts';
import { expectingMuchData } from '../much-data.ts';
import { createReporter } from '../reporter/reporter.ts';
import { warningLine } from '../scan-warning.ts';
import { taskSettings } from '../task-settings.ts';

export const run: Run = async ({ args, options, context }) => {
  const began = performance.now();
  const reporter = await createReporter(context);
  try {
    const result = await cacheReferences(
      { references: args, input: context.stdin },
      taskSettings(context, options, reporter.note),
      {
        ...copyOptions(options),
        onEvent: expectingMuchData(reporter.onEvent),
        onWarning: (warning) => reporter.note(warningLine(warning)),
      },
    );
    reporter.finish();
    const { loaded } = result;
    const elapsed = performance.now() - began;
    return await reportCopy(result, context, { json: options.flag('json'), elapsed, loaded });
  } finally {
    reporter.finish();
  }
};
