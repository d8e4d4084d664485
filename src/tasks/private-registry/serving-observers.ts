// What a registry that serves makes of all that it tells: its log, metrics, a feed of events, and what its caller listens to.
import { createFeed, type Feed } from '../../observe/feed.ts';
import { createLog, DEFAULT_LOG, type LogSettings } from '../../observe/log.ts';
import { type OnNotice, type OnObservation, tellAll } from '../../observe/observation.ts';
import type { OperatorPages } from '../../server/operator-pages.ts';
import { type ServingMetrics, servingMetrics } from './serving-metrics.ts';

export interface ObserverOptions {
  /** Told of all that happens. It must not wait, and what it throws is lost. */
  readonly onObservation?: OnObservation;
  /** Gets the log: whole lines. `isUrgent`: they must not wait for others. Without it, there is none. */
  readonly writeLog?: (lines: string, isUrgent: boolean) => void;
}

export interface ServingObservers {
  /** All that happens comes together here, whoever tells it. */
  readonly observe: OnObservation;
  readonly onNotice: OnNotice;
  readonly operators: OperatorPages;
  readonly metrics: ServingMetrics;
  /** How many watch what happens: they wait, and want nothing. */
  watchers(): number;
  /** From now on the log is as this says, each time. */
  logBy(settings: () => LogSettings): void;
}

export function servingObservers({ onObservation, writeLog }: ObserverOptions): ServingObservers {
  const feed = createFeed();
  const metrics = servingMetrics();
  let settings = () => DEFAULT_LOG;
  const log = writeLog && createLog({ settings: () => settings(), write: writeLog });
  const observe = tellAll([
    ...(log ? [log] : []),
    metrics.count,
    feed.add,
    endingWith(feed),
    ...(onObservation ? [onObservation] : []),
  ]);
  return {
    observe,
    onNotice: (text, level = 'info') => observe({ type: 'notice', level, text }),
    operators: {
      metrics: () => metrics.page(),
      isOpen: (page) => page === 'metrics' && metrics.isOpen,
      events: ({ headers, signal, after }) => ({
        status: 200,
        headers: { 'Content-Type': 'text/event-stream; charset=utf-8', 'Cache-Control': 'no-store' },
        body: feed.watch({ signal, ...cursorOf(headers['last-event-id'], after) }),
        isEndless: true,
      }),
    },
    metrics,
    watchers: () => feed.watchers,
    logBy: (from) => {
      settings = from;
    },
  };
}

/** A client that was cut off says what it saw last in a header (WHATWG HTML, section 9.2.4). */
function cursorOf(
  last: string | readonly string[] | undefined,
  after: string | undefined,
): { readonly after?: string } {
  const cursor = typeof last === 'string' && last !== '' ? last : after;
  return cursor === undefined ? {} : { after: cursor };
}

/** Who watches must not delay the end. */
function endingWith(feed: Feed): OnObservation {
  return ({ type }) => {
    if (type === 'stopping') feed.end();
  };
}
