// Shows a copy as plain lines: `=== IMAGE` when one begins, and retries, notes and failures.
import type { CopyEvent } from '../../copy/events.ts';
import { errorLine } from './report-error.ts';

export interface Reporter {
  onEvent(event: CopyEvent): void;
  /** Writes a line for people above the progress. */
  note(line: string): void;
  /** Ends the progress: later output is written unchanged. */
  finish(): void;
}

export function lineReporter(note: (line: string) => void): Reporter {
  return {
    onEvent: (event) => {
      const line = lineOf(event);
      if (line !== undefined) note(line);
    },
    note,
    finish: () => undefined,
  };
}

/** An event as a plain line. Returns `undefined` for mere progress. */
export function lineOf(event: CopyEvent): string | undefined {
  switch (event.type) {
    case 'image':
      return `=== ${event.image}`;
    case 'image-failed':
      return `FAILED ${failureLine(event)}`;
    case 'retry':
      return `Again in ${(event.after / 1000).toFixed(1)} s: ${event.what}: ${event.why}`;
    case 'note':
      return event.text;
    default:
      return undefined;
  }
}

/** Names the image once, even if the error's message begins with it. */
export function failureLine({ image, error }: { readonly image: string; readonly error: unknown }): string {
  const line = errorLine(error);
  return line.startsWith(`${image}: `) ? line : `${image}: ${line}`;
}
