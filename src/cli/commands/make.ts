// `images make`.
import { ImagesError } from '../../oci/errors.ts';
import { makeItems } from '../../tasks/make-items.ts';
import { MAKE_FORMATS, type MakeFormat, makeOutput } from '../../tasks/make-output.ts';
import { GRAPH_ROOT, makeStore, openImages, storeOutput } from '../../tasks/prepulled-store.ts';
import type { Run } from '../command.ts';
import { onePlatform, refuseTerminal } from '../look.ts';
import { expectingMuchData } from '../much-data.ts';
import { formatBytes, formatCount } from '../reporter/format.ts';
import { createReporter } from '../reporter/reporter.ts';
import { warningLine } from '../scan-warning.ts';
import { taskSettings } from '../task-settings.ts';
import { writeJson } from '../write-json.ts';

export const run: Run = async ({ args, options, context }) => {
  const began = performance.now();
  const format = formatOf(options.text('format'));
  const imagesOf = options.texts('images-of');
  if (args.length === 0 && imagesOf.length === 0) {
    throw new ImagesError('USAGE', 'make needs an item [ITEM]', { hint: '`images help make` shows what items are.' });
  }
  const platform = onePlatform(options.text('platform'));
  const pause = options.text('pause');
  const path = options.text('tar') ?? (await makeOutput(format, taskSettings(context, options)));
  if (path === '-') refuseTerminal('The archive');
  const reporter = await createReporter(context);
  try {
    const settings = { ...taskSettings(context, options), onNote: reporter.note };
    const onEvent = expectingMuchData(reporter.onEvent);
    const storeOptions = { userXattr: options.flag('userxattr'), onEvent, ...(platform && { platform }) };
    const request = { items: args, imagesOf, input: context.stdin };
    const onWarning = (warning: Parameters<typeof warningLine>[0]) => reporter.note(warningLine(warning));
    const items = await makeItems(request, settings, { onWarning, ...(pause !== undefined && { pause }) });
    await using images = await openImages(items, settings, storeOptions);
    await using output = await storeOutput(path, context.out);
    const made = await makeStore(images, output, settings, { ...storeOptions, graphRoot: GRAPH_ROOT });
    reporter.finish();
    const seconds = (performance.now() - began) / 1000;
    if (options.flag('json')) await writeJson(context, { file: path, ...made, seconds });
    context.note(
      `${formatCount(made.images.length, 'image')} of ${formatCount(made.layers, 'layer')}, ${formatBytes(images.bytes)} read, ${seconds.toFixed(1)} s: ${path}`,
    );
    return 0;
  } finally {
    reporter.finish();
  }
};

function formatOf(text = 'tar'): MakeFormat {
  const format = MAKE_FORMATS.find((known) => known === text);
  if (format) return format;
  throw new ImagesError('USAGE', `unknown format [${text}]`, { hint: `There are ${MAKE_FORMATS.join(', ')}.` });
}
