// SIGHUP to a process that serves: a request to read the configuration again; or the end of the terminal in which it was started, with which it ends.
import { isatty } from 'node:tty';

const STREAMS = [0, 1, 2];

/** Returns whether the terminal in which this process was started has gone since; never where there was none. */
export function watchTerminal(): () => boolean {
  const had = STREAMS.some((stream) => isatty(stream));
  return () => had && !STREAMS.some((stream) => isatty(stream));
}
