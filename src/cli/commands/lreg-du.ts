// `images lreg_du`: a line for each repository, below it one for each image, and the sums of the store.
import { openPrivateRegistry } from '../../tasks/private-registry/private-registry.ts';
import { type RegistrySpace, registrySpace, spaceHistory } from '../../tasks/private-registry/registry-space.ts';
import type { Run } from '../grammar/command.ts';
import { taskSettings } from '../grammar/task-settings.ts';
import { jsonText, writeJson } from '../out/write-json.ts';
import type { Context } from '../process/context.ts';
import { expectMuchGarbage } from '../process/much-data.ts';
import { safeText } from '../process/safe-text.ts';
import { collectionReporter } from '../reporter/collection-line.ts';
import { formatBytes, formatCount } from '../reporter/format.ts';

export const run: Run = async ({ args, options, context }) => {
  const isJson = options.flag('json');
  if (options.flag('history')) {
    const samples = await spaceHistory(await openPrivateRegistry(taskSettings(context, options)));
    if (isJson) await writeJson(context, samples);
    else
      for (const { at, bytes, blobs } of samples)
        await context.out(row([at.toISOString().slice(0, 10), formatBytes(bytes), formatCount(blobs, 'blob')]));
    return 0;
  }
  expectMuchGarbage();
  const reporter = await collectionReporter(context);
  let space: RegistrySpace;
  try {
    const settings = taskSettings(context, options, reporter.note);
    space = await registrySpace(
      await openPrivateRegistry(settings, { alone: true }),
      { names: args, onEvent: reporter.onEvent },
      settings,
    );
  } finally {
    reporter.finish();
  }
  await (isJson ? writeSpaceJson : writeSpace)(context, space);
  return 0;
};

/** Lines are written in portions: the whole text is not held in memory. */
const PORTION = 64 * 1024;

async function writeSpace(context: Context, { repositories, total }: RegistrySpace): Promise<void> {
  const out = inPortions(context);
  await out.add(row(['SIZE', 'OWN', 'SHARED', 'RECLAIMABLE', 'IMAGE']));
  for (const { repository, images, ...use } of repositories()) {
    await out.add(row([...bytesOf(use), repository]));
    for (const { name, ...of } of images)
      await out.add(row([...bytesOf(of), `  ${name.startsWith(repository) ? name.slice(repository.length) : name}`]));
  }
  const { now, later } = total.reclaimable;
  const sums: readonly (readonly [string, string])[] = [
    ['total', `${formatBytes(total.bytes)} in ${formatCount(total.blobs, 'blob')}`],
    ['images', formatBytes(total.images)],
    ['builds', `${formatBytes(total.builds)} that only builds need`],
    ['former', `${formatBytes(total.former)} of images that lost their tag`],
    ['unnamed', `${formatBytes(total.unnamed)} that nothing names yet, or any more`],
    ...(total.uploads === undefined ? [] : [['uploads', `${formatBytes(total.uploads)} that have not ended`] as const]),
    ['reclaimable', `${formatBytes(now)} now (\`images lreg_gc\`), ${formatBytes(later)} later`],
  ];
  await out.add('\n');
  for (const [name, value] of sums) await out.add(`${name.padEnd(13)}${value}\n`);
  await out.end();
}

async function writeSpaceJson(context: Context, { data, repositories, total }: RegistrySpace): Promise<void> {
  const out = inPortions(context);
  const indented = (value: unknown, by: string) => jsonText(value).replaceAll('\n', `\n${by}`);
  await out.add(`{\n  "data": ${jsonText(data)},\n  "total": ${indented(total, '  ')},\n  "repositories": [`);
  let separator = '\n    ';
  for (const repository of repositories()) {
    await out.add(separator + indented(repository, '    '));
    separator = ',\n    ';
  }
  await out.add(separator.startsWith(',') ? '\n  ]\n}\n' : ']\n}\n');
  await out.end();
}

function inPortions(context: Context) {
  let text = '';
  const end = async () => {
    if (text) await context.out(text);
    text = '';
  };
  return {
    add: async (more: string) => {
      text += more;
      if (text.length > PORTION) await end();
    },
    end,
  };
}

function bytesOf({
  size,
  own,
  shared,
  reclaimable,
}: {
  size: number;
  own: number;
  shared: number;
  reclaimable: number;
}): readonly string[] {
  return [size, own, shared, reclaimable].map(formatBytes);
}

/** The last column is as wide as it is. */
function row(columns: readonly string[]): string {
  const last = columns.length - 1;
  return `${columns.map((text, at) => (at === last ? safeText(text) : text.padStart(11))).join('  ')}\n`;
}
