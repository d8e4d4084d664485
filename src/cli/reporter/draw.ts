// Draws a snapshot of a copy as lines of text that fit the terminal. Pure.
import { digestHex } from '../../oci/digest.ts';
import { formatBytes, formatRemaining } from './format.ts';
import type { Snapshot } from './progress.ts';

const MAX_BLOBS = 6;
const BAR = 24;

/** The whole first, then the blobs under way; before there is a plan, how far that is. */
export function drawProgress(snapshot: Snapshot, columns: number): string {
  const { compressing, images, imagesDone, bytes, fetched, rate, remaining } = snapshot;
  if (compressing !== undefined) {
    const sent = fetched > 0 ? `, ${formatBytes(fetched)} sent` : '';
    return fitting(`${formatBytes(compressing)} of layers compressed${sent}`, columns);
  }
  const total = [
    bar(bytes === 0 ? 1 : fetched / bytes),
    `${formatBytes(fetched)} of ${formatBytes(bytes)}`,
    ...(rate === undefined ? [] : [`${formatBytes(Math.round(rate))}/s`]),
    ...(remaining === undefined ? [] : [`${formatRemaining(remaining)} left`]),
    `${imagesDone}/${images} images`,
  ].join('  ');
  const blobs = snapshot.blobs.slice(0, MAX_BLOBS).map(({ digest, size, bytes: held }) => {
    const share = size === 0 ? 1 : held / size;
    return `${bar(share)}  ${digestHex(digest).slice(0, 12)}  ${formatBytes(held)} of ${formatBytes(size)}`;
  });
  const more = snapshot.blobs.length - MAX_BLOBS;
  const lines = [total, ...blobs, ...(more > 0 ? [`and ${more} more`] : [])];
  return lines.map((line) => fitting(line, columns)).join('\n');
}

/** A line that wraps would be drawn over in part only. */
function fitting(line: string, columns: number): string {
  return line.slice(0, Math.max(1, columns - 1));
}

function bar(share: number): string {
  const filled = Math.round(Math.min(1, Math.max(0, share)) * BAR);
  return `[${'#'.repeat(filled)}${'-'.repeat(BAR - filled)}]`;
}
