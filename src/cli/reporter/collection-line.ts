// Shows on a terminal what a collection does: one line, redrawn in place. Elsewhere nothing is shown until it ends.
import type { CollectionEvent } from '../../storage/collector/run.ts';
import type { Context } from '../process/context.ts';
import { safeText } from '../process/safe-text.ts';
import { formatBytes, formatCount } from './format.ts';

export interface CollectionReporter {
  onEvent(event: CollectionEvent): void;
  /** Writes a line for people above the progress. */
  note(line: string): void;
  /** Ends the progress: later output is written unchanged. */
  finish(): void;
}

const DRAW_MS = 100;

export async function collectionReporter(context: Context): Promise<CollectionReporter> {
  const { stderr, note } = context;
  if (!stderr.isTTY) return { onEvent: () => undefined, note, finish: () => undefined };
  const { createLogUpdate } = await import('log-update');
  const draw = createLogUpdate(stderr.stream, { showCursor: true });
  let drawnAt = Number.NEGATIVE_INFINITY;
  return {
    onEvent: (event) => {
      if (performance.now() - drawnAt < DRAW_MS) return;
      drawnAt = performance.now();
      draw(safeText(lineOfCollection(event)).slice(0, Math.max(1, stderr.columns - 1)));
    },
    note: (line) => {
      draw.clear();
      note(line);
    },
    finish: () => {
      draw.clear();
      draw.done();
    },
  };
}

export function lineOfCollection(event: CollectionEvent): string {
  switch (event.type) {
    case 'reading':
      return `Reading the manifests of ${event.repository}`;
    case 'looking':
      return `${formatCount(event.blobs, 'blob')} looked at`;
    case 'deleting':
      return `${formatBytes(event.bytes)} freed in ${formatCount(event.blobs, 'blob')}`;
  }
}
