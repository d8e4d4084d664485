// Aborts transfers whose client is too slow. Otherwise a byte now and then could hold a connection, a file and memory for ever.
import type { ServerLimits } from './limits.ts';

export interface Transfer {
  /** Bytes transferred so far. */
  moved(): number;
  /** Whether the transfer waits for the client and not for the disk. */
  waitsForClient(): boolean;
  giveUp(): void;
}

export function watchProgress(transfer: Transfer, limits: Pick<ServerLimits, 'slow' | 'slowBytes'>): Disposable {
  let before = transfer.moved();
  const timer = setInterval(() => {
    const now = transfer.moved();
    if (now - before < limits.slowBytes && transfer.waitsForClient()) transfer.giveUp();
    before = now;
  }, limits.slow);
  timer.unref();
  return { [Symbol.dispose]: () => clearInterval(timer) };
}
