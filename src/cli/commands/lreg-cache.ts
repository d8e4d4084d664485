// `images lreg_cache`.
import { cacheReferences } from '../../tasks/cache/cache-references.ts';
import type { Run } from '../grammar/command.ts';
import { copyOptions } from '../grammar/copy-options.ts';
import { taskSettings } from '../grammar/task-settings.ts';
import { reportCopy } from '../out/copy-report.ts';
import { warningLine } from '../out/scan-warning.ts';
import { expectingMuchData } from '../process/much-data.ts';
import { createReporter } from '../reporter/reporter.ts';

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
