// `images lreg_check`: a line for each fault, what to do about it, and which images are not whole.
import { parseSize, SIZE_EXAMPLES } from '../../io/text/size.ts';
import { describedFault, neededBy } from '../../observe/fault-text.ts';
import { ImagesError } from '../../oci/errors.ts';
import { parseReference } from '../../oci/reference.ts';
import { withoutQuotes } from '../../tasks/overlays/reference-list.ts';
import { checkRegistry, type RegistryCheck } from '../../tasks/private-registry/check-registry.ts';
import type { Run } from '../grammar/command.ts';
import { taskSettings } from '../grammar/task-settings.ts';
import { writeJson } from '../out/write-json.ts';
import { safeText } from '../process/safe-text.ts';
import { checkReporter } from '../reporter/check-line.ts';
import { formatBytes, formatCount } from '../reporter/format.ts';

export const run: Run = async ({ args, options, context }) => {
  const rate = rateOf(options.text('rate'));
  const reporter = await checkReporter(context);
  let check: RegistryCheck;
  try {
    check = await checkRegistry(
      {
        images: args.map((text) => parseReference(withoutQuotes(text))),
        repair: options.flag('repair'),
        restart: options.flag('restart'),
        ...(rate !== undefined && { rate }),
        counted: context.stderr.isTTY,
        onEvent: reporter.onEvent,
      },
      taskSettings(context, options, reporter.note),
    );
  } finally {
    reporter.finish();
  }
  const ok = check.incomplete.length === 0;
  if (options.flag('json')) await writeJson(context, { ok, ...check });
  else
    await context.out(
      lines(check)
        .map((line) => `${safeText(line)}\n`)
        .join(''),
    );
  return ok ? 0 : 1;
};

/** Errors: USAGE. */
function rateOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const rate = parseSize(text.replace(/\/s$/, ''));
  if (rate) return rate;
  throw new ImagesError('USAGE', `--rate takes bytes per second [${text}]`, { hint: `Such as ${SIZE_EXAMPLES}.` });
}

function lines({ blobs, bytes, mended, faults, incomplete, unmarked, isMore }: RegistryCheck): readonly string[] {
  const unwritten = `${formatCount(unmarked, 'damaged blob')} could not be marked, because nothing can be written there: other processes go on serving it.`;
  const whole =
    incomplete.length === 0 ? 'All images are whole.' : `${formatCount(incomplete.length, 'image')} not whole:`;
  return [
    ...mended.map((fault) => `MENDED ${describedFault(fault)}`),
    ...faults.flatMap(({ why, hint, ...fault }) => [
      `${describedFault(fault)}${neededBy(fault)}`,
      ...(why === undefined ? [] : [`    not mended: ${why}`]),
      `    ${hint}`,
    ]),
    ...(isMore ? ['There is more: mend this first, then check again.'] : []),
    ...(unmarked > 0 ? [unwritten] : []),
    `Checked ${formatBytes(bytes)} in ${formatCount(blobs, 'blob')}. ${whole}`,
    ...incomplete.map((image) => `    ${image}`),
  ];
}
