// `images make`.
import { ImagesError } from '../../oci/errors.ts';
import { type MadeImages, makeImages } from '../../tasks/make/make-images.ts';
import { MAKE_FORMATS, type MakeFormat } from '../../tasks/make/make-output.ts';
import { chartValues } from '../grammar/chart-values.ts';
import type { Invocation, Run } from '../grammar/command.ts';
import { taskSettings } from '../grammar/task-settings.ts';
import { outQueue, whoeverReads } from '../out/answer-out.ts';
import { claimStdout, isStdout } from '../out/archive-out.ts';
import { partText } from '../out/checked-parts.ts';
import { onePlatform } from '../out/look.ts';
import { warningLine } from '../out/scan-warning.ts';
import { writeJson } from '../out/write-json.ts';
import { createBufferCollector, expectingMuchData } from '../process/much-data.ts';
import { formatBytes, formatCount } from '../reporter/format.ts';
import { createReporter } from '../reporter/reporter.ts';

export const run: Run = async (invocation) => {
  const { args, options } = invocation;
  const [list, check] = [options.text('list'), options.text('check')];
  const file = list ?? check;
  if (file === undefined) return await make(invocation);
  if (args.length > 0 || (list !== undefined && check !== undefined)) {
    throw new ImagesError('USAGE', '--list and --check take one file, and nothing else', {
      hint: '`images help make` shows how to use it.',
    });
  }
  return list === undefined ? await checkFile(file, invocation) : await listFile(file, invocation);
};

async function make({ args, options, context }: Invocation): Promise<number> {
  const began = performance.now();
  const format = formatOf(options.text('format'));
  const imagesOf = options.texts('images-of');
  if (args.length === 0 && imagesOf.length === 0) {
    throw new ImagesError('USAGE', 'make needs an item [ITEM]', { hint: '`images help make` shows what items are.' });
  }
  const platform = onePlatform(options.text('platform'));
  const pause = options.text('pause');
  const root = options.text('root');
  const noLayers = options.flag('no-layers');
  refuseForeign(format, { '--root': root !== undefined, '--no-layers': noLayers });
  const dryRun = options.flag('dry-run');
  const json = options.flag('json');
  const path = dryRun ? undefined : options.text('tar');
  if (path !== undefined && isStdout(path)) claimStdout(path, json ? '--json' : undefined);
  const reporter = await createReporter(context);
  try {
    const request = { items: args, imagesOf, input: context.stdin, ...chartValues(options) };
    const made = await makeImages(request, taskSettings(context, options, reporter.note), {
      format,
      send: context.out,
      dryRun,
      update: options.flag('update'),
      userXattr: options.flag('userxattr'),
      noLayers,
      ...(root !== undefined && { root }),
      ...(path !== undefined && { path }),
      ...(pause !== undefined && { pause }),
      ...(platform && { platform }),
      onWarning: (warning) => reporter.note(warningLine(warning)),
      onEvent: expectingMuchData(reporter.onEvent),
      onWritten: createBufferCollector(),
    });
    reporter.finish();
    const seconds = (performance.now() - began) / 1000;
    if (json) await writeJson(context, described(made, seconds));
    else if (dryRun) await context.out(planText(made));
    if (!dryRun) context.note(summary(made, seconds));
    return 0;
  } finally {
    reporter.finish();
  }
}

function described({ path, format, ...made }: MadeImages, seconds: number): object {
  return { ...(path !== undefined && { file: path }), format, ...made, seconds: Number(seconds.toFixed(3)) };
}

function planText({ images, layers, bytes }: MadeImages): string {
  const lines = images.map(({ names, digest }) => `${names[0] ?? digest}\n`);
  return `${lines.join('')}${formatCount(images.length, 'image')}, ${formatCount(layers, 'layer')}, ${formatBytes(bytes)} to read\n`;
}

function summary({ images, layers, taken, bytes, path }: MadeImages, seconds: number): string {
  const parts = [
    formatCount(images.length, 'image'),
    `${formatCount(layers, 'layer')}${taken > 0 ? ` (${taken} there before)` : ''}`,
    formatBytes(bytes),
    `${seconds.toFixed(1)} s`,
  ];
  return `${parts.join(', ')}${path === '-' ? '' : `: ${path}`}`;
}

async function listFile(file: string, { options, context }: Invocation): Promise<number> {
  const { listPrepulled } = await import('../../tasks/make/read-prepulled.ts');
  const images = await listPrepulled(file, taskSettings(context, options));
  if (options.flag('json')) await writeJson(context, images);
  // A list in the form that `-` accepts.
  else for (const { names, id } of images) await context.out(`${(names.length > 0 ? names : [id]).join('\n')}\n`);
  return 0;
}

async function checkFile(file: string, { options, context }: Invocation): Promise<number> {
  const { checkPrepulled } = await import('../../tasks/make/read-prepulled.ts');
  const json = options.flag('json');
  const lines = outQueue(context);
  const parts = await checkPrepulled(file, taskSettings(context, options), ({ what, problems, notes }) => {
    const texts = problems.map(({ rule, text }) => `${rule}: ${text}`);
    if (!json) lines.add(partText({ what, problems: texts, ...(notes && { notes }) }));
  });
  await lines.flushed();
  const wrong = parts.reduce((sum, { problems }) => sum + problems.length, 0);
  if (json) await whoeverReads(writeJson(context, { ok: wrong === 0, parts }));
  else context.note(wrong === 0 ? 'Everything is right.' : `${formatCount(wrong, 'problem')}.`);
  return wrong === 0 ? 0 : 1;
}

/** Errors: USAGE. */
function formatOf(text = 'tar'): MakeFormat {
  const format = MAKE_FORMATS.find((known) => known === text);
  if (format) return format;
  throw new ImagesError('USAGE', `unknown format [${text}]`, { hint: `There are ${MAKE_FORMATS.join(', ')}.` });
}

/** Options that only a store of containerd has. Errors: USAGE. */
function refuseForeign(format: MakeFormat, given: Readonly<Record<string, boolean>>): void {
  const [name] = Object.entries(given).find(([, isGiven]) => isGiven) ?? [];
  if (name === undefined || format.startsWith('containerd')) return;
  throw new ImagesError('USAGE', `${name} is for a store of containerd [${format}]`, {
    hint: `Leave it out, or add --format=containerd.`,
  });
}
