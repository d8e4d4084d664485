// Streams that end with a signal. For sources that do not observe it once they are open: files, the store.
import type { Bytes } from './bytes.ts';
import { tapped } from './verify.ts';

/** Passes the chunks on, and throws the signal's reason instead of the next one as soon as it is aborted. Without a signal, the stream itself. */
export function stoppable(body: Bytes, signal: AbortSignal | undefined): Bytes {
  return signal ? tapped(body, () => signal.throwIfAborted()) : body;
}
