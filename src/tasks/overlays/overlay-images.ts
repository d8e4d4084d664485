// `getimages`: the images that overlays, directories, files and lists use, merged over all of them.

import { join } from 'node:path';
import type { Bytes } from '../../io/streams/bytes.ts';
import { addAll } from '../../oci/add-all.ts';
import { checkArguments, objectWith } from '../../oci/arguments.ts';
import { parseReference } from '../../oci/reference.ts';
import type { Finding, GivenValues, Rules, Warning } from '../../scan/contract.ts';
import type { ScanEvent } from '../../scan/events.ts';
import { imagesOf } from '../../scan/images.ts';
import { SETTINGS, TEXTS } from '../arguments.ts';
import { alsoDebugged, type TaskCall, type TaskEvents, type World } from '../settings.ts';
import { type ChartValues, readChartValues } from './chart-values.ts';
import { inputImages, LIST_RULE, scanInputFile } from './input-images.ts';
import { findOverlay } from './overlays.ts';
import { rememberedScan } from './remembered-scan.ts';

export interface OverlayImages {
  /** Images in use: unique, in byte order, as the files write them. */
  readonly images: readonly string[];
  /** Strings that only look like an image, each with the reason. */
  readonly maybe: readonly MaybeImage[];
  /** The file names are paths that can be opened from the working directory. */
  readonly findings: readonly Finding[];
  readonly warnings: readonly Warning[];
}

export interface MaybeImage {
  readonly image: string;
  readonly reason: string;
}

export interface OverlayItems {
  /** Overlays, directories, files; `-` stands for the content of `input`. */
  readonly items: readonly string[];
  readonly input?: Bytes;
  /** Values for all charts among the items. */
  readonly chartValues?: ChartValues;
  /** Custom rules, as `rulesWith` returns them. With them the scan is not cached. */
  readonly rules?: Rules;
}

/** Finds the images that overlays, directories and files use, merged over all of them. Errors: OVERLAY_UNKNOWN, FILE_UNREADABLE; USAGE and YAML_INVALID for values. */
export async function overlayImages(
  request: OverlayItems,
  settings: World & TaskCall & TaskEvents,
): Promise<OverlayImages> {
  checkArguments({ request: [request, objectWith({ items: TEXTS })], settings: [settings, SETTINGS] });
  const { items, input = nothing(), chartValues, rules } = request;
  const given = chartValues && (await readChartValues(chartValues));
  const asking: Asking = { ...(given && { given }), ...(rules && { rules }) };
  const onEvent = alsoDebugged<'scan', ScanEvent>('scan', settings);
  const findings: Finding[] = [];
  const warnings: Warning[] = [];
  for (const item of new Set(items)) {
    const look = (): Promise<Found> =>
      item === '-' ? inputImages(input, { ...asking, onEvent }) : scanItem(item, settings, asking);
    const found = await (settings.whileComputing?.(look) ?? look());
    addAll(findings, found.findings);
    addAll(warnings, found.warnings);
  }
  given?.check();
  const result = { findings, warnings };
  const reasons = new Map(findings.map(({ image, reason }) => [image, reason]));
  const maybe = imagesOf(result, { maybe: true }).map((image) => ({
    image,
    reason: reasons.get(image) ?? 'it only looks like an image',
  }));
  return { images: imagesOf(result), maybe, ...result };
}

/** Entries of lists are references as people write them: the scan takes them as they are. Errors: REFERENCE_INVALID for one that is none. */
export function requireReferences({ findings }: Pick<OverlayImages, 'findings'>): void {
  for (const { image, rule } of findings) if (rule === LIST_RULE) parseReference(image);
}

interface Found {
  readonly findings: readonly Finding[];
  readonly warnings: readonly Warning[];
}

interface Asking {
  readonly given?: GivenValues;
  readonly rules?: Rules;
}

async function* nothing(): AsyncGenerator<Uint8Array> {}

async function scanItem(item: string, settings: World & TaskCall & TaskEvents, asking: Asking): Promise<Found> {
  const { kind, path } = await findOverlay(item, settings);
  if (kind === 'file')
    return await scanInputFile(path, { ...asking, onEvent: alsoDebugged<'scan', ScanEvent>('scan', settings) });
  const { findings, warnings } = await rememberedScan(path, settings, asking);
  return {
    findings: findings.map((finding) => ({
      ...finding,
      position: { ...finding.position, file: join(path, finding.position.file) },
    })),
    warnings: warnings.map((warning) => ({ ...warning, file: join(path, warning.file) })),
  };
}
