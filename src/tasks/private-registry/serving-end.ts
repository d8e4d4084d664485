// The end of a registry that serves: told once, at once or after what is under way.
import type { OnNotice, OnObservation } from '../../observe/observation.ts';
import type { RunningServer } from '../../server/listen.ts';

/** In milliseconds: what requests have that are under way, unless the registry drains. */
export const SHORT_GRACE = 500;

export interface ServingEndOptions {
  readonly server: RunningServer;
  readonly observe: OnObservation;
  readonly onNotice: OnNotice;
  readonly signal: AbortSignal | undefined;
  /** In milliseconds, asked when it ends: what requests have. */
  readonly grace: () => number;
  /** How many requests only watch, and want nothing. */
  readonly watchers: () => number;
  /** What is to be done when the server has stopped. */
  readonly afterwards: () => Promise<void>;
}

export interface ServingEnd extends AsyncDisposable {
  readonly stopped: Promise<void>;
  drain(): Promise<void>;
  stopNow(): Promise<void>;
}

export function servingEnd(options: ServingEndOptions): ServingEnd {
  const { server, observe, onNotice, signal, grace, watchers, afterwards } = options;
  let isStopping = false;
  const tellStopping = () => {
    if (isStopping) return;
    isStopping = true;
    observe({ type: 'stopping' });
    const active = server.activeRequests - watchers();
    if (active > 0 && grace() > SHORT_GRACE)
      onNotice(`stopping when requests have ended: ${active} under way; a second signal ends them`);
  };
  signal?.addEventListener('abort', tellStopping, { once: true });
  const stopped = server.stopped.then(afterwards).finally(() => {
    signal?.removeEventListener('abort', tellStopping);
    observe({ type: 'stopped' });
  });
  return {
    stopped,
    drain: async () => {
      tellStopping();
      await server.stop(Number.POSITIVE_INFINITY);
    },
    stopNow: async () => {
      tellStopping();
      await server.stop(SHORT_GRACE);
    },
    [Symbol.asyncDispose]: async () => {
      tellStopping();
      await server[Symbol.asyncDispose]();
      await stopped;
    },
  };
}
