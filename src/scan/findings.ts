// Constructors for findings and warnings. Relies on image-text.ts and path.ts.
import type { Finding, Path, ScannedDocument, Warning } from './contract.ts';
import { formatPath } from './path.ts';

export interface Spot {
  readonly document: ScannedDocument;
  readonly path: Path;
  readonly rule: string;
}

/** A finding that is certainly an image in use. */
export function used(image: string, spot: Spot): Finding {
  return { image, certainty: 'used', rule: spot.rule, position: positionOf(spot) };
}

/** A finding that only looks like an image. `reason` says why it is not certain. */
export function maybe(image: string, reason: string, spot: Spot): Finding {
  return { image, certainty: 'maybe', reason, rule: spot.rule, position: positionOf(spot) };
}

/** A warning for what is certainly meant as an image but cannot be resolved. */
export function unresolved(text: string, why: string, spot: Spot): Warning {
  const { file, line, path } = positionOf(spot);
  return { file, line, text: `${path}: ${why} [${oneLine(text)}]` };
}

function positionOf({ document, path }: Spot): Finding['position'] {
  return { file: document.file, line: document.lineOf(path), path: formatPath(path) };
}

function oneLine(text: string): string {
  const short = text.replace(/\s+/g, ' ').trim();
  return short.length > 120 ? `${short.slice(0, 120)}…` : short;
}
