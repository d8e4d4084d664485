// `images lreg_gc`: a line for each manifest that went, then what was freed, and what can be freed in a day.
import { parseAge } from '../../io/text/age.ts';
import { leapLine } from '../../observe/leap-line.ts';
import { isIndexType } from '../../oci/media-types.ts';
import type { RemovedManifest } from '../../storage/collector/run.ts';
import { type CollectedRegistry, collectRegistry } from '../../tasks/private-registry/collect-garbage.ts';
import type { Run } from '../grammar/command.ts';
import { configSettings, taskSettings } from '../grammar/task-settings.ts';
import { writeJson } from '../out/write-json.ts';
import { expectMuchGarbage } from '../process/much-data.ts';
import { safeText } from '../process/safe-text.ts';
import { collectionReporter } from '../reporter/collection-line.ts';
import { formatBytes, formatCount } from '../reporter/format.ts';

export const run: Run = async ({ options, context }) => {
  const age = options.text('older-than');
  const dryRun = options.flag('dry-run');
  const olderThanMs = age === undefined ? undefined : parseAge(age, '--older-than');
  context.giveWay();
  expectMuchGarbage();
  const reporter = await collectionReporter(context);
  let collected: CollectedRegistry;
  try {
    collected = await collectRegistry(
      {
        dryRun,
        keepUntagged: options.flag('keep-untagged'),
        noRetention: options.flag('no-retention'),
        ...(olderThanMs !== undefined && { olderThanMs }),
        onEvent: reporter.onEvent,
      },
      { ...taskSettings(context, options, reporter.note), ...configSettings(options) },
    );
  } finally {
    reporter.finish();
  }
  if (options.flag('json')) await writeJson(context, { dryRun, ...collected });
  else
    await context.out(
      lines(collected, dryRun)
        .map((line) => `${line}\n`)
        .join(''),
    );
  return 0;
};

function lines(
  { tags, manifests, blobs, bytes, recent, isMore, leap }: CollectedRegistry,
  dryRun: boolean,
): readonly string[] {
  const [removed, freed] = dryRun ? ['Would remove', 'Would free'] : ['Removed', 'Freed'];
  const inOneDay = `In a day: ${formatBytes(recent.bytes)} in ${formatCount(recent.blobs, 'blob')} that nothing names; pushed or used within the last day, a push that is under way may need them.`;
  return [
    ...tags.map(({ repository, tag, digest }) => `${removed} ${repository}:${tag} (no rule keeps it; ${digest})`),
    ...manifests.map((manifest) => `${removed} ${described(manifest)}`),
    `${freed} ${formatBytes(bytes)} in ${formatCount(blobs, 'blob')}.`,
    ...(recent.blobs > 0 ? [inOneDay] : []),
    ...(leap ? [leapLine(leap)] : []),
    ...(isMore ? ['There is more: run it again.'] : []),
  ];
}

function described({ repository, digest, mediaType, tags }: RemovedManifest): string {
  const was = tags.length > 0 ? `was ${tags.join(', ')}` : 'had a tag';
  return safeText(`${repository}@${digest} (${kindOf(mediaType)}, ${was})`);
}

function kindOf(mediaType: string | undefined): string {
  if (mediaType === undefined) return 'unreadable';
  return isIndexType(mediaType) ? 'index' : 'image';
}
