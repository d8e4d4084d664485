// Words for what a check of the store finds.
import type { StoreFault } from '../storage/check/findings.ts';

const IMAGES_NAMED = 5;

const KINDS: Readonly<Record<StoreFault['kind'], string>> = {
  'damaged-blob': 'damaged blob',
  'missing-blob': 'missing blob',
  'garbled-link': 'garbled link',
  'missing-link': 'missing link',
  'garbled-tag': 'garbled tag',
  'stale-link': 'link to nothing',
  'stale-record': 'record of nothing',
  'missing-record': 'missing record',
};

/** What is wrong, and where. */
export function describedFault({ kind, where, digest }: StoreFault): string {
  return `${KINDS[kind]} ${kind.endsWith('-blob') && digest ? digest : where}`;
}

/** Which images it costs, to be put behind the fault. */
export function neededBy({ images }: StoreFault): string {
  if (images.length === 0) return '';
  const more = images.length - IMAGES_NAMED;
  return `, needed by ${images.slice(0, IMAGES_NAMED).join(', ')}${more > 0 ? `, and ${more} more` : ''}`;
}
