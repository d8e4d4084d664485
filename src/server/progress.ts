// Ends a transfer whose client is so slow that it is no transfer: a byte now and then keeps no connection, file and memory for ever.
import type { ServerLimits } from './limits.ts';

export interface Transfer {
  /** Bytes moved so far. */
  moved(): number;
  /** Whether it is the client that is waited for, and not the disk. */
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
