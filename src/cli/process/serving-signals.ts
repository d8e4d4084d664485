// What signals ask of a registry that serves. They are taken from the beginning: other commands know of it a moment before all of it is ready, and a signal must not end
// what it is only to tell something.
import { watchTerminal } from './hang-up.ts';
import type { Interruption } from './interruption.ts';

export interface SignalledRegistry {
  /** SIGHUP. */
  reload(): Promise<unknown>;
  /** SIGQUIT. */
  drain(): Promise<void>;
  /** A second signal, and SIGTERM after SIGQUIT. */
  stopNow(): Promise<void>;
}

/** Returns a function that hands over the registry; what was asked for until then is done then. What fails tells it by itself. */
export function servingSignals(
  { signal, ...interruption }: Pick<Interruption, 'signal' | 'onHangUp' | 'onQuit' | 'onSecond'>,
  hasLostTerminal: () => boolean = watchTerminal(),
): (registry: SignalledRegistry) => void {
  let registry: SignalledRegistry | undefined;
  const asked = { reload: false, drain: false };
  const ask = (what: keyof typeof asked) => {
    asked[what] = true;
    registry?.[what]().catch(() => undefined);
  };
  const stopNow = () => void registry?.stopNow().catch(() => undefined);
  interruption.onHangUp(() => {
    if (hasLostTerminal()) return false;
    ask('reload');
    return true;
  });
  interruption.onQuit(() => ask('drain'));
  interruption.onSecond(stopNow);
  // SIGQUIT waits for as long as it takes, so the first one after it is the second.
  signal.addEventListener('abort', () => asked.drain && stopNow(), { once: true });
  return (served) => {
    registry = served;
    if (asked.reload) ask('reload');
    if (asked.drain) ask('drain');
  };
}
