// A copy as plain lines: `=== IMAGE` when one begins, and what goes wrong on the way.
import type { CopyEvent } from '../../copy/events.ts';
import { errorLine } from './report-error.ts';

export interface Reporter {
  onEvent(event: CopyEvent): void;
  /** A line for people between the progress. */
  note(line: string): void;
  /** The progress is over: what follows is written as it is. */
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

/** What an event is as a plain line; `undefined` where it is only progress. */
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

/** The image once, also where the error names it itself. */
export function failureLine({ image, error }: { readonly image: string; readonly error: unknown }): string {
  const line = errorLine(error);
  return line.startsWith(`${image}: `) ? line : `${image}: ${line}`;
}
