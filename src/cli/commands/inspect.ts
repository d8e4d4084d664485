// `images inspect`: describes an image.
import * as decode from '../../oci/decode.ts';
import { formatPlatform } from '../../oci/platform.ts';
import { describeImage } from '../../tasks/look/describe-image.ts';
import { type OpenedImage, openImage } from '../../tasks/transfer/tree-source.ts';
import type { Run } from '../grammar/command.ts';
import { looking } from '../out/look.ts';
import { writeJson } from '../out/write-json.ts';
import { safeText } from '../process/safe-text.ts';
import { formatBytes, formatCount } from '../reporter/format.ts';

export const run: Run = (invocation) =>
  looking(invocation, 'store', async ({ look, settings }, quiet) => {
    const { args, options, context } = invocation;
    await using image = await openImage(look(args[0] as string), settings);
    quiet();
    if (options.flag('raw')) await context.out(image.root.bytes);
    else if (options.flag('config')) await context.out(image.configBytes);
    else if (options.flag('json')) await writeJson(context, describeImage(image));
    else await context.out(textOf(image));
    return 0;
  });

function textOf(image: OpenedImage): string {
  const { root, raw, manifest, config } = image;
  const { platforms } = describeImage(image);
  const fields = decode.object(decode.parseJson(image.configBytes, 'config'), 'config');
  const inner = decode.isObject(fields.config) ? fields.config : {};
  const size = manifest.layers.reduce((sum, layer) => sum + layer.size, 0);
  const rows: readonly (readonly [string, string])[] = [
    ['Name', image.label],
    ['Digest', root.digest],
    ...(platforms
      ? ([
          ['Platforms', platforms.join(', ')],
          ['Manifest', raw.digest],
        ] as const)
      : []),
    ['Media type', raw.mediaType],
    ['ID', manifest.config.digest],
    ['Platform', config.platform.os === '' ? '' : formatPlatform(config.platform)],
    ['Created', config.created ?? ''],
    ['Author', config.author ?? ''],
    ['Size', `${formatBytes(size)} in ${formatCount(manifest.layers.length, 'layer')}`],
    ...CONFIG_FIELDS.map(([name, key]) => [name, valueText(inner[key])] as const),
  ];
  const width = Math.max(...rows.map(([name]) => name.length));
  const lines = rows.flatMap(([name, text]) =>
    text === '' ? [] : text.split('\n').map((line, at) => `${(at === 0 ? name : '').padEnd(width)}  ${line}`),
  );
  const layers = image.layers.map(({ descriptor }, at) => {
    const number = String(at + 1).padStart(3);
    return `${number} ${descriptor.digest} ${formatBytes(descriptor.size).padStart(9)}`;
  });
  const history = config.history.map(({ created_by, empty_layer }) => {
    const text = (created_by ?? '').replaceAll(/\s+/g, ' ').trim();
    return `  ${empty_layer ? '      ' : 'layer '}${text}`;
  });
  const text = [...lines, 'Layers', ...layers, ...(history.length > 0 ? ['History', ...history] : [])].join('\n');
  return `${safeText(text)}\n`;
}

const CONFIG_FIELDS: readonly (readonly [string, string])[] = [
  ['Entrypoint', 'Entrypoint'],
  ['Cmd', 'Cmd'],
  ['User', 'User'],
  ['WorkingDir', 'WorkingDir'],
  ['Env', 'Env'],
  ['Ports', 'ExposedPorts'],
  ['Volumes', 'Volumes'],
  ['Labels', 'Labels'],
  ['StopSignal', 'StopSignal'],
  ['Healthcheck', 'Healthcheck'],
];

/** Commands as JSON; lists and maps with a line for each entry. */
function valueText(value: unknown): string {
  if (value === undefined || value === null || value === '') return '';
  if (typeof value === 'string') return value;
  if (Array.isArray(value)) {
    const isEnvironment = value.every((each) => typeof each === 'string' && /^\w+=/.test(each));
    return isEnvironment ? value.join('\n') : JSON.stringify(value);
  }
  if (!decode.isObject(value)) return JSON.stringify(value);
  const entries = Object.entries(value);
  if (entries.every(([, inner]) => decode.isObject(inner))) return entries.map(([key]) => key).join('\n');
  return entries
    .map(([key, inner]) => `${key}=${typeof inner === 'string' ? inner : JSON.stringify(inner)}`)
    .join('\n');
}
