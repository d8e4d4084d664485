// Shows on a terminal what a check does: one line, redrawn in place. Elsewhere only what it goes on with, and what is damaged.

import type { RepairEvent } from '../../observe/housekeeping.ts';
import type { CheckEvent } from '../../storage/check/check-store.ts';
import type { Context } from '../process/context.ts';
import { safeText } from '../process/safe-text.ts';
import { formatBytes, formatCount } from './format.ts';

export interface CheckReporter {
  onEvent(event: CheckEvent | RepairEvent): void;
  /** Writes a line for people above the progress. */
  note(line: string): void;
  /** Ends the progress: later output is written unchanged. */
  finish(): void;
}

const DRAW_MS = 100;

export async function checkReporter(context: Context): Promise<CheckReporter> {
  const { stderr } = context;
  const bar = stderr.isTTY ? await progressLine(context) : undefined;
  const note = (line: string) => {
    bar?.clear();
    context.note(line);
  };
  let total = 0;
  return {
    onEvent: (event) => {
      const said = noteOfCheck(event);
      if (said !== undefined) note(said);
      if (event.type === 'total') total = event.bytes;
      bar?.draw(lineOfCheck(event, total));
    },
    note,
    finish: () => bar?.finish(),
  };
}

async function progressLine({ stderr }: Context) {
  const { createLogUpdate } = await import('log-update');
  const write = createLogUpdate(stderr.stream, { showCursor: true });
  let drawnAt = Number.NEGATIVE_INFINITY;
  return {
    draw: (line: string) => {
      if (line === '' || performance.now() - drawnAt < DRAW_MS) return;
      drawnAt = performance.now();
      write(safeText(line).slice(0, Math.max(1, stderr.columns - 1)));
    },
    clear: () => write.clear(),
    finish: () => {
      write.clear();
      write.done();
    },
  };
}

function noteOfCheck(event: CheckEvent | RepairEvent): string | undefined {
  if (event.type === 'damaged') return `damaged: ${event.digest}`;
  if (event.type !== 'resumed') return undefined;
  const done = `${formatBytes(event.bytes)} in ${formatCount(event.blobs, 'blob')}`;
  return `Going on with the check of ${event.since.toISOString()}, which had read ${done}; --restart begins anew.`;
}

/** `total`: the bytes of all blobs; 0 if they were not counted. */
export function lineOfCheck(event: CheckEvent | RepairEvent, total: number): string {
  switch (event.type) {
    case 'blobs': {
      const share = total > 0 ? ` of ${formatBytes(total)}, ${Math.floor((100 * event.bytes) / total)} %` : '';
      return `${formatBytes(event.bytes)}${share} read in ${formatCount(event.blobs, 'blob')}`;
    }
    case 'links':
      return `Looking at the links of ${event.repository}`;
    case 'fetching':
      return `Fetching ${event.digest} from ${event.from}`;
    default:
      return '';
  }
}
