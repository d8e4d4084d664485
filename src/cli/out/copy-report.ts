// The final report of lreg_cache and lreg_preload: a summary for people, the plan of a dry run, or one JSON object.
import type { TransferResult } from '../../tasks/transfer/transfer-result.ts';
import type { Context } from '../process/context.ts';
import { formatBytes, formatCount } from '../reporter/format.ts';
import { failureLine } from '../reporter/lines.ts';
import { failureData } from '../reporter/report-error.ts';
import { writeJson } from './write-json.ts';

export interface ReportOptions {
  readonly json: boolean;
  /** Milliseconds since the command began. */
  readonly elapsed: number;
  /** The verb for the images. Absent: `cached`. */
  readonly done?: string;
  /** Images that the registry already had. */
  readonly loaded?: readonly string[];
  readonly skipped?: readonly string[];
}

/** Returns the exit status: 1 if something failed. */
export async function reportCopy(result: TransferResult, context: Context, options: ReportOptions): Promise<number> {
  const { loaded = [], skipped = [] } = options;
  if (options.json) await writeJson(context, jsonOf(result, options));
  else if (result.dryRun) await context.out(planText(result));
  for (const image of skipped) context.note(`Skipped, it is built here: ${image}`);
  if (result.failed.length > 0) context.note(`${formatCount(result.failed.length, 'image')} failed:`);
  for (const failed of result.failed) context.note(`  ${failureLine(failed)}`);
  if (!result.dryRun) context.note(summary(result, loaded.length, options));
  return result.failed.length > 0 ? 1 : 0;
}

function summary(result: TransferResult, loaded: number, { done = 'cached', elapsed }: ReportOptions): string {
  const parts = [
    `${formatCount(result.copied.length, 'image')} ${done}`,
    ...(loaded > 0 ? [`${loaded} there before`] : []),
    `${formatBytes(result.fetched)} fetched`,
    `${formatBytes(result.alreadyThere)} already there`,
    `${(elapsed / 1000).toFixed(1)} s`,
  ];
  return parts.join(', ');
}

function planText({ planned, requests, fetched, alreadyThere }: TransferResult): string {
  const exact = (bytes: number) =>
    bytes < 1000 ? formatCount(bytes, 'byte') : `${bytes} bytes (${formatBytes(bytes)})`;
  const totals = [
    formatCount(planned.length, 'image'),
    formatCount(requests, 'request'),
    `${exact(fetched)} to fetch`,
    `${exact(alreadyThere)} already there`,
  ].join(', ');
  return `${planned.map((image) => `${image}\n`).join('')}${totals}\n`;
}

function jsonOf(result: TransferResult, { elapsed, loaded, skipped }: ReportOptions): unknown {
  return {
    dryRun: result.dryRun,
    images: result.dryRun
      ? result.planned.map((image) => ({ image }))
      : result.copied.map(({ image, digest }) => ({ image, digest })),
    ...(loaded && { loaded }),
    ...(skipped && { skipped }),
    failed: result.failed.map(({ image, error }) => ({ image, ...failureData(error) })),
    requests: result.requests,
    bytes: { [result.dryRun ? 'toFetch' : 'fetched']: result.fetched, alreadyThere: result.alreadyThere },
    seconds: Number((elapsed / 1000).toFixed(3)),
  };
}
