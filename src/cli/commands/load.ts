// `images load`: images into a cluster that runs.
import { ImagesError } from '../../oci/errors.ts';
import { type LoadRequest, loadImages } from '../../tasks/make/load-images.ts';
import type { LoadedNode } from '../../tasks/make/load-nodes.ts';
import { chartValues } from '../grammar/chart-values.ts';
import type { Run } from '../grammar/command.ts';
import type { Options } from '../grammar/options.ts';
import { taskSettings } from '../grammar/task-settings.ts';
import { warningLine } from '../out/scan-warning.ts';
import { writeJson } from '../out/write-json.ts';
import { expectingMuchData } from '../process/much-data.ts';
import { formatCount } from '../reporter/format.ts';
import { errorLine, failureData } from '../reporter/report-error.ts';
import { createReporter } from '../reporter/reporter.ts';

export const run: Run = async ({ args, options, context }) => {
  const imagesOf = options.texts('images-of');
  if (args.length === 0 && imagesOf.length === 0) {
    throw new ImagesError('USAGE', 'load needs an item [ITEM]', { hint: '`images help load` shows what items are.' });
  }
  const cluster = clusterOf(options);
  const pause = options.text('pause');
  const reporter = await createReporter(context);
  try {
    const request = { items: args, imagesOf, input: context.stdin, cluster, ...chartValues(options) };
    const nodes = await loadImages(request, taskSettings(context, options, reporter.note), {
      ...(pause !== undefined && { pause }),
      onWarning: (warning) => reporter.note(warningLine(warning)),
      onEvent: expectingMuchData(reporter.onEvent),
      onSending: (node, images) => reporter.note(`${node}: ${formatCount(images, 'image')} on the way`),
      onNode: (node) => reporter.note(nodeLine(node)),
    });
    reporter.finish();
    const failed = nodes.filter(({ error }) => error !== undefined);
    if (options.flag('json')) await writeJson(context, { ok: failed.length === 0, nodes: nodes.map(described) });
    const hint = failed[0]?.error?.hint;
    if (hint !== undefined) context.note(hint);
    return failed.length === 0 ? 0 : 1;
  } finally {
    reporter.finish();
  }
};

/** Errors: USAGE. */
function clusterOf(options: Options): LoadRequest['cluster'] {
  const [kind, k3s] = [options.text('kind'), options.text('k3s')];
  if (!options.flag('k3s') && k3s === undefined) return { type: 'kind', name: kind ?? 'kind' };
  if (options.flag('kind') || kind !== undefined) {
    throw new ImagesError('USAGE', 'one cluster at a time: --kind or --k3s', {
      hint: 'Run it twice.',
    });
  }
  return { type: 'k3s', ...(k3s !== undefined && { directory: k3s }) };
}

function nodeLine({ node, loaded, alreadyThere, error }: LoadedNode): string {
  if (error) return `FAILED ${errorLine(error)}`;
  const there = alreadyThere.length > 0 ? [`${alreadyThere.length} there before`] : [];
  return `${node}: ${[`${formatCount(loaded.length, 'image')} loaded`, ...there].join(', ')}`;
}

function described({ error, ...node }: LoadedNode): object {
  return { ...node, ...(error && { error: failureData(error) }) };
}
