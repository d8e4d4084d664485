// `images getimages`: one image in each line; with --why each position where it is used, with --maybe also uncertain ones.
import type { Finding } from '../../scan/contract.ts';
import { type OverlayImages, overlayImages, requireReferences } from '../../tasks/overlays/overlay-images.ts';
import { chartValues } from '../grammar/chart-values.ts';
import type { Run } from '../grammar/command.ts';
import { taskSettings } from '../grammar/task-settings.ts';
import { warningLine } from '../out/scan-warning.ts';

export const run: Run = async ({ args, options, context }) => {
  const found = await overlayImages(
    { items: args, input: context.stdin, ...chartValues(options) },
    taskSettings(context),
  );
  for (const warning of found.warnings) context.note(warningLine(warning));
  requireReferences(found);
  const listing = { why: options.flag('why'), maybe: options.flag('maybe') };
  const text = options.flag('json') ? `${JSON.stringify(asJson(found), null, 2)}\n` : linesOf(found, listing).join('');
  if (text) await context.out(text);
  return 0;
};

function linesOf(found: OverlayImages, listing: { why: boolean; maybe: boolean }): readonly string[] {
  const reasons = new Map(found.maybe.map(({ image, reason }) => [image, reason]));
  const images = listing.maybe ? [...reasons.keys()] : found.images;
  const findings = Map.groupBy(found.findings, (finding) => finding.image);
  return images.flatMap((image) => {
    const columns = listing.maybe ? [image, reasons.get(image) ?? ''] : [image];
    if (!listing.why) return [row(columns)];
    return (findings.get(image) ?? []).map((finding) => row([...columns, ...whyColumns(finding)]));
  });
}

function whyColumns({ position: at, rule }: Finding): readonly string[] {
  return [`${at.file}:${at.line}`, at.path, rule];
}

function asJson(found: OverlayImages): unknown {
  const findings = Map.groupBy(found.findings, (finding) => finding.image);
  const places = (image: string) => (findings.get(image) ?? []).map(({ position: at, rule }) => ({ ...at, rule }));
  return {
    images: found.images.map((image) => ({ image, places: places(image) })),
    maybe: found.maybe.map(({ image, reason }) => ({ image, reason, places: places(image) })),
    warnings: found.warnings,
  };
}

function row(columns: readonly string[]): string {
  return `${columns.join('\t')}\n`;
}
