// Draws a snapshot of a copy as lines of text that fit the terminal. Pure.
import { digestHex } from '../../oci/digest.ts';
import { formatBytes, formatRemaining } from './format.ts';
import type { Snapshot } from './progress.ts';

const MAX_BLOBS = 6;
const BAR = 24;
/** A bar with less room is omitted. */
const MIN_BAR = 6;

/** The size of the terminal. */
export interface Room {
  readonly columns: number;
  readonly rows: number;
}

/** The total first, then the active blobs; before there is a plan, the progress of compression. What does not fit is omitted, bars first. */
export function drawProgress(snapshot: Snapshot, { columns, rows }: Room): string {
  const { compressing, images, imagesDone, bytes, fetched, rate, remaining } = snapshot;
  if (compressing !== undefined) {
    const sent = fetched > 0 ? `, ${formatBytes(fetched)} sent` : '';
    return fitting(`${formatBytes(compressing)} of layers compressed${sent}`, columns);
  }
  const total = [
    `${formatBytes(fetched)} of ${formatBytes(bytes)}`,
    ...(rate === undefined ? [] : [`${formatBytes(Math.round(rate))}/s`]),
    ...(remaining === undefined ? [] : [`${formatRemaining(remaining)} left`]),
    `${imagesDone}/${images} images`,
  ].join('  ');
  // One line is reserved for the cursor, one for the number of omitted blobs.
  const most = Math.min(MAX_BLOBS, Math.max(0, rows - 3));
  const blobs = snapshot.blobs.slice(0, most).map(({ digest, size, bytes: held }) => {
    const text = `${digestHex(digest).slice(0, 12)}  ${formatBytes(held)} of ${formatBytes(size)}`;
    return withBar(size === 0 ? 1 : held / size, text, columns);
  });
  const more = snapshot.blobs.length - most;
  const lines = [withBar(bytes === 0 ? 1 : fetched / bytes, total, columns), ...blobs];
  return [...lines, ...(more > 0 ? [fitting(`and ${more} more`, columns)] : [])].join('\n');
}

function withBar(share: number, text: string, columns: number): string {
  const width = Math.min(BAR, columns - 1 - text.length - '[]  '.length);
  return fitting(width < MIN_BAR ? text : `${bar(share, width)}  ${text}`, columns);
}

/** Cuts a line at the terminal's width: a wrapped line would be redrawn only in part. */
function fitting(line: string, columns: number): string {
  return line.slice(0, Math.max(1, columns - 1));
}

function bar(share: number, width: number): string {
  const filled = Math.round(Math.min(1, Math.max(0, share)) * width);
  return `[${'#'.repeat(filled)}${'-'.repeat(width - filled)}]`;
}
