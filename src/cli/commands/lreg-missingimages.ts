// `images lreg_missingimages`: prints full names, one in each line; status 1 if there are any. With --boot-set, what is missing of each is said on stderr.
import { parsePlatformChoice } from '../../oci/platform.ts';
import { formatReference } from '../../oci/reference.ts';
import type { Warning } from '../../scan/contract.ts';
import type { BootSet, LackingPart } from '../../tasks/cache/boot-set.ts';
import { type MissingRequest, missingOverlayImages } from '../../tasks/cache/missing-images.ts';
import { chartValues } from '../grammar/chart-values.ts';
import type { Run } from '../grammar/command.ts';
import type { Options } from '../grammar/options.ts';
import { taskSettings } from '../grammar/task-settings.ts';
import { whoeverReads } from '../out/answer-out.ts';
import { warningLine } from '../out/scan-warning.ts';
import { writeJson } from '../out/write-json.ts';
import type { Context } from '../process/context.ts';
import { formatBytes, formatCount } from '../reporter/format.ts';

export const run: Run = async ({ args, options, context }) => {
  const pause = options.text('pause');
  const request: MissingRequest = {
    items: args,
    input: context.stdin,
    ...chartValues(options),
    ...(pause !== undefined && { pause }),
    onWarning: (warning: Warning) => context.note(warningLine(warning)),
  };
  if (options.flag('boot-set') || options.text('boot-set') !== undefined)
    return await proveBootSet(request, options, context);
  const names = await missingOverlayImages(request, taskSettings(context, options));
  const missing = names.map(formatReference);
  if (options.flag('json')) await whoeverReads(writeJson(context, missing));
  else await printImages(missing, context);
  return missing.length > 0 ? 1 : 0;
};

async function proveBootSet(request: MissingRequest, options: Options, context: Context): Promise<number> {
  const text = options.text('boot-set');
  const platforms = text === undefined ? {} : { platforms: parsePlatformChoice(text) };
  const { bootSet } = await import('../../tasks/cache/boot-set.ts');
  const found = await bootSet({ ...request, ...platforms }, taskSettings(context, options));
  const lacking = found.images.filter(({ lacks }) => lacks.length > 0);
  if (options.flag('json')) await whoeverReads(writeJson(context, { ...found, complete: lacking.length === 0 }));
  else {
    for (const { image, lacks } of lacking) for (const part of lacks) context.note(`${image}: ${describedLack(part)}`);
    context.note(summary(found, lacking.length));
    await printImages(
      lacking.map(({ image }) => image),
      context,
    );
  }
  return lacking.length > 0 ? 1 : 0;
}

async function printImages(images: readonly string[], context: Context): Promise<void> {
  if (images.length > 0) await whoeverReads(context.out(images.map((image) => `${image}\n`).join('')));
}

function describedLack(part: LackingPart): string {
  if (part.kind === 'image') return 'not in the private registry';
  if (part.kind === 'platform') return `not there for ${part.platform}`;
  if (part.kind === 'elsewhere') return `a layer that only other hosts have: ${part.digest}`;
  return `missing ${part.kind} ${part.digest} (${formatBytes(part.size)})`;
}

function summary({ images, platforms, manifests, blobs, bytes }: BootSet, lacking: number): string {
  const there = `${formatCount(manifests, 'manifest')} and ${formatCount(blobs, 'blob')} there, ${formatBytes(bytes)}`;
  const verdict = lacking === 0 ? 'all can be pulled offline' : `${lacking} cannot be pulled offline`;
  return `${formatCount(images.length, 'image')} for ${platforms.join(', ')}: ${verdict}; ${there}`;
}
