// What happens in a registry, as a feed that can be read while it happens (Server-Sent Events, WHATWG HTML, section 9.2): the last thousand events, each with a cursor
// to go on from. Who reads too slowly is told how many were missed, and costs nothing but its place.
import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { Bytes } from '../io/streams/bytes.ts';
import { ImagesError } from '../oci/errors.ts';
import type { Observation, OnObservation } from './observation.ts';
import { type OperatorEvent, operatorEvents, requestEvent } from './operator-event.ts';

export interface Feed {
  readonly add: OnObservation;
  /** How many read. */
  readonly watchers: number;
  /**
   * The events after the cursor, and those that come, as a stream of text; `0`: all that are there; without it, those that come. It ends with the signal, and
   * with the feed. Errors: TOOMANYREQUESTS.
   */
  watch(options: WatchFeed): Bytes;
  /** Ends it for all who read. */
  end(): void;
}

export interface WatchFeed {
  readonly after?: string;
  readonly signal: AbortSignal;
}

export interface FeedOptions {
  /** Events that are kept. */
  readonly size?: number;
  /** Readers at once. */
  readonly most?: number;
  /** Milliseconds after which a comment says that the registry is there. */
  readonly heartbeat?: number;
  /** Milliseconds for which events are gathered before they are sent. */
  readonly gather?: number;
  /** In milliseconds since 1970. */
  readonly now?: () => number;
}

/** Of one piece: a reader takes them one after the other. */
const EVENTS_AT_ONCE = 100;
/** In characters: longer ones are not kept whole. */
const LONGEST_URL = 1000;
/** Probes and scrapes: nobody watches to see them. */
const UNTOLD = new Set<string>(['health', 'ready', 'metrics', 'events']);

interface Kept {
  /** Once that somebody has read it. */
  text?: string;
  readonly time: number;
  /** A request becomes an event when it is read: most are read by nobody. */
  readonly what: OperatorEvent | Extract<Observation, { type: 'request' }>;
}

/** A feed of what it is told from now on. */
export function createFeed(options: FeedOptions = {}): Feed {
  const { size = 1000, most = 16, heartbeat = 15_000, gather = 50, now = Date.now } = options;
  const process = randomBytes(6).toString('hex');
  const kept: (Kept | undefined)[] = new Array<Kept | undefined>(size).fill(undefined);
  /** The number of the next event. */
  let next = 1;
  let isOver = false;
  const waiting = new Set<() => void>();
  let watchers = 0;

  const keep = (what: Kept['what']) => {
    kept[next % size] = { time: now(), what };
    next += 1;
  };
  const wake = () => {
    if (waiting.size === 0) return;
    const all = [...waiting];
    waiting.clear();
    for (const tell of all) tell();
  };
  const cursorOf = (number: number) => `${process}-${number}`;

  /** The number after which to begin; `undefined`: of another process, or of none. */
  const numberOf = (cursor: string | undefined): number | undefined => {
    if (cursor === undefined) return next - 1;
    if (cursor === '0') return Math.max(0, next - 1 - size);
    const [, of, number] = /^([0-9a-f]{12})-(\d{1,15})$/.exec(cursor) ?? [];
    return of === process && Number(number) < next ? Number(number) : undefined;
  };

  async function* read(after: string | undefined, signal: AbortSignal): AsyncGenerator<Uint8Array> {
    const known = numberOf(after);
    let seen = known ?? Math.max(0, next - 1 - size);
    // The headers are sent with the first bytes.
    yield Buffer.from(known === undefined ? missedText(cursorOf(seen), now()) : ': this is what happens\n\n');
    // What was told before the end is sent: that the registry stops.
    for (;;) {
      const oldest = Math.max(1, next - size);
      let text = '';
      if (seen < oldest - 1) {
        const missed = oldest - 1 - seen;
        seen = oldest - 1;
        text = missedText(cursorOf(seen), now(), missed);
      }
      const until = Math.min(next - 1, seen + EVENTS_AT_ONCE);
      while (seen < until) {
        seen += 1;
        const one = kept[seen % size];
        if (one) text += one.text ??= eventText(cursorOf(seen), one);
      }
      if (text !== '') yield Buffer.from(text);
      else if (isOver || signal.aborted) return;
      else if (!(await comes(signal))) yield Buffer.from(': still here\n\n');
      // What comes soon after goes with it: a piece for each event would cost as much as the request.
      else if (!isOver && !signal.aborted && gather > 0)
        await delay(gather, undefined, { signal }).catch(() => undefined);
    }
  }

  /** False when nothing has come for a while. */
  async function comes(signal: AbortSignal): Promise<boolean> {
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const tell = () => resolve(true);
    const timer = setTimeout(() => resolve(false), heartbeat);
    waiting.add(tell);
    signal.addEventListener('abort', tell, { once: true });
    try {
      return await promise;
    } finally {
      clearTimeout(timer);
      waiting.delete(tell);
      signal.removeEventListener('abort', tell);
    }
  }

  return {
    get watchers() {
      return watchers;
    },
    add: (observation) => {
      if (observation.type !== 'request') for (const event of operatorEvents(observation)) keep(event);
      else if (UNTOLD.has(observation.kind)) return;
      else
        keep(observation.url.length > LONGEST_URL ? { ...observation, url: shortened(observation.url) } : observation);
      wake();
    },
    watch: ({ after, signal }) => {
      if (watchers >= most) {
        throw new ImagesError('TOOMANYREQUESTS', `already ${most} watch what happens here`, {
          hint: 'Try again later.',
        });
      }
      watchers += 1;
      return leaving(read(after, signal), signal, () => {
        watchers -= 1;
      });
    },
    end: () => {
      isOver = true;
      wake();
    },
  };
}

/** Calls `leave` once: when the reader ends, or has gone before it began. */
function leaving(source: AsyncGenerator<Uint8Array>, signal: AbortSignal, leave: () => void): Bytes {
  let hasLeft = false;
  const once = () => {
    if (!hasLeft) leave();
    hasLeft = true;
  };
  signal.addEventListener('abort', once, { once: true });
  if (signal.aborted) once();
  return (async function* () {
    try {
      yield* source;
    } finally {
      signal.removeEventListener('abort', once);
      once();
    }
  })();
}

/** Without a reference to the long text. */
function shortened(url: string): string {
  return Buffer.from(`${url.slice(0, LONGEST_URL)}…`).toString();
}

function eventText(cursor: string, { time, what }: Kept): string {
  return dataText(cursor, time, 'event' in what ? what : requestEvent(what));
}

function missedText(cursor: string, time: number, missed?: number): string {
  const message =
    missed === undefined
      ? 'the registry was restarted: what happened before is not known here'
      : `${missed} events were missed`;
  return dataText(cursor, time, { event: 'missed', level: 'warn', message, ...(missed !== undefined && { missed }) });
}

function dataText(cursor: string, ms: number, { level, event, message, ...fields }: OperatorEvent): string {
  const time = new Date(ms).toISOString();
  return `id: ${cursor}\ndata: ${JSON.stringify({ time, cursor, level, event, message, ...fields })}\n\n`;
}
