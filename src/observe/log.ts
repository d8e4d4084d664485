// The log of a registry that runs: lines for people, or one JSON object a line (docs/operator-event.schema.json). What writes it is given.
import { auditKind, createAuditLog } from './audit-log.ts';
import type { Observation, ObservedRequest, OnObservation } from './observation.ts';
import { LOG_LEVELS, type LogLevel, type OperatorEvent, operatorEvents, requestEvent } from './operator-event.ts';

export interface LogSettings {
  /** One JSON object a line; else text. */
  readonly isJson: boolean;
  /** A line for every request, whatever the level. */
  readonly isAccess: boolean;
  /** Lines of this level, and of those that matter more. */
  readonly level: LogLevel;
}

export const DEFAULT_LOG: LogSettings = { isJson: false, isAccess: false, level: 'info' };

export interface LogOptions {
  /** Asked each time: what the configuration says may change. */
  readonly settings: () => LogSettings;
  /** Gets whole lines. `isUrgent`: they must not wait for others. */
  readonly write: (lines: string, isUrgent: boolean) => void;
  /** In milliseconds since 1970. */
  readonly now?: () => number;
}

/** A listener that writes what is worth a line. */
export function createLog({ settings, write, now = Date.now }: LogOptions): OnObservation {
  const timeOf = isoTimes();
  const audit = createAuditLog();
  const line = (event: OperatorEvent, isJson: boolean) => {
    const time = timeOf(now());
    return isJson ? `${jsonLine(event, time)}\n` : `${time} ${textLine(event)}\n`;
  };
  const request = (event: ObservedRequest, { isJson, isAccess, level }: LogSettings) => {
    const isShown = isAccess || level === 'debug';
    // Most requests are worth no line, and a server answers thousands a second.
    if (!isShown && !event.isAudited) return;
    const told = requestEvent(event);
    if (event.isAudited) {
      const kind = auditKind(event);
      const lines = audit.linesFor(event);
      const message = lines.at(-1);
      for (const text of lines.slice(0, -1)) {
        write(line({ event: 'notice', level: 'warn', message: text }, isJson), false);
      }
      if (kind && message !== undefined) write(line({ ...told, event: 'audit', message, audit: kind }, isJson), false);
    }
    if (isShown) write(line(told, isJson), false);
  };
  return (observation: Observation) => {
    const now = settings();
    if (observation.type === 'request') return request(observation, now);
    for (const event of operatorEvents(observation)) {
      // The notice of the same host says it, and not more often than people can read.
      if (event.event === 'proxy-failed' || !isLevel(event.level, now.level)) continue;
      write(line(event, now.isJson), event.level !== 'debug');
    }
  };
}

/** Whether what has this level is shown where `least` is wanted. */
export function isLevel(level: LogLevel, least: LogLevel): boolean {
  return LOG_LEVELS.indexOf(level) <= LOG_LEVELS.indexOf(least);
}

const WORDS: Readonly<Record<LogLevel, string>> = { error: 'ERROR: ', warn: 'WARNING: ', info: '', debug: '' };

/** Without the time. */
export function textLine(event: OperatorEvent): string {
  if (event.event !== 'request') return `${WORDS[event.level]}${event.message}`;
  const { method, path, status, code = '-', sent, received, duration, address, who, request, userAgent } = event;
  const agent = userAgent === undefined ? '' : ` agent=${JSON.stringify(userAgent)}`;
  return `${method} ${path} ${status} ${code} sent=${sent} received=${received} ${duration.toFixed(1)}ms from=${address} user=${who} id=${request}${agent}`;
}

/** Time, level, event and message first. */
export function jsonLine({ level, event, message, ...fields }: OperatorEvent, time: string): string {
  return JSON.stringify({ time, level, event, message, ...fields });
}

/** In ISO 8601. Of one millisecond it is made once: many lines have the same. */
function isoTimes(): (ms: number) => string {
  let last = Number.NaN;
  let text = '';
  return (ms) => {
    if (ms !== last) text = new Date(ms).toISOString();
    last = ms;
    return text;
  };
}
