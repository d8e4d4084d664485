// What an observation is for operators: plain values of a fixed form (docs/operator-event.schema.json), safe to be written as they are. A line of the log in JSON
// and an event of `/images/events` are one of these.

import { formatBytes } from '../io/text/amounts.ts';
import { quote } from '../io/text/quote.ts';
import { listenUrl } from '../server/address.ts';
import type { RequestEvent, RequestKind } from '../server/events.ts';
import { whoOf } from './audit-line.ts';
import { errorText } from './error-text.ts';
import { describedFault, neededBy } from './fault-text.ts';
import type { Scrubbed } from './housekeeping.ts';
import { collectionText, scrubText } from './housekeeping-text.ts';
import { leapLine } from './leap-line.ts';
import type { Observation, ProxyEvent } from './observation.ts';
import { safePath } from './safe-path.ts';

export const LOG_LEVELS = ['error', 'warn', 'info', 'debug'] as const;

/** From what has to be seen at once to what is of use when something is looked for. */
export type LogLevel = (typeof LOG_LEVELS)[number];

export interface TellingFields {
  readonly level: LogLevel;
  /** For people; all that programs need is in the other fields. */
  readonly message: string;
}

/** Sizes in bytes, `duration` in milliseconds, `request` the id of a request. */
export type OperatorEvent = TellingFields &
  (
    | RequestFields
    | (Omit<RequestFields, 'event'> & { readonly event: 'audit'; readonly audit: 'write' | 'refusal' })
    | {
        readonly event: 'failure';
        readonly request?: string;
        readonly method: string;
        readonly path: string;
        readonly code: string;
      }
    | {
        readonly event: 'collected';
        readonly tags: number;
        readonly manifests: number;
        readonly blobs: number;
        readonly bytes: number;
      }
    | {
        readonly event: 'scrubbed';
        readonly blobs: number;
        readonly bytes: number;
        readonly faults: number;
        readonly mended: number;
        readonly incompleteImages: number;
      }
    | { readonly event: 'finding'; readonly fault: string; readonly where: string; readonly digest?: string }
    | { readonly event: 'damaged'; readonly digest: string }
    | { readonly event: 'fetching'; readonly digest: string; readonly from: string }
    | { readonly event: 'mended'; readonly fault: string; readonly where: string; readonly digest?: string }
    | { readonly event: 'housekeeping-failed'; readonly code: string }
    | ProxyFields
    | { readonly event: 'notice' }
    | { readonly event: 'serving'; readonly data: string; readonly addresses: readonly string[] }
    | { readonly event: 'reloaded'; readonly file: string }
    | { readonly event: 'stopping' | 'stopped' }
    /** Of a feed: so many were not sent, because the reader was too slow or the cursor too old; without a number, because the registry was restarted. */
    | { readonly event: 'missed'; readonly missed?: number }
  );

export type OperatorEventName = OperatorEvent['event'];

/** A request. Sizes in bytes, `duration` in milliseconds. */
export interface RequestFields {
  readonly event: 'request';
  /** The id of the request. */
  readonly request: string;
  readonly kind: RequestKind;
  readonly method: string;
  readonly path: string;
  readonly status: number;
  readonly code?: string;
  readonly host?: string;
  readonly repository?: string;
  readonly reference?: string;
  readonly digest?: string;
  readonly address: string;
  /** A user's name; else `token:NAME`, `unknown:NAME` (a wrong password), or how the asker is known. */
  readonly who: string;
  readonly received: number;
  readonly sent: number;
  readonly duration: number;
  readonly userAgent?: string;
}

export interface ProxyFields {
  readonly event: ProxyEvent['type'];
  readonly host: string;
  readonly repository: string;
  readonly digest?: string;
  readonly tags?: readonly string[];
  readonly bytes?: number;
  readonly duration?: number;
  readonly code?: string;
}

/** In characters. */
const LONGEST_LINE = 2000;

/** Texts in which others have a part. */
const inLine = (text: string) => quote(text, LONGEST_LINE);

/** Findings of one check, and tags of one image, that are told singly. */
const MOST = 100;

/** What is told of an observation; nothing of it is of a client's choice in form, or unbounded. */
export function operatorEvents(observation: Observation): readonly OperatorEvent[] {
  switch (observation.type) {
    case 'request':
      return [requestEvent(observation)];
    case 'failure': {
      const { id, method, url, error } = observation;
      const { code, text } = errorText(error);
      const path = safePath(url);
      const said = { method, path, code, ...(id !== undefined && { request: id }) };
      return [{ event: 'failure', level: 'error', message: `${method} ${path}: ${text}`, ...said }];
    }
    case 'collected': {
      const { tags, manifests, blobs, bytes, leap, retentionWaits } = observation.collection;
      const message = collectionText(observation.collection);
      const counts = { tags: retentionWaits ? 0 : tags.length, manifests: manifests.length, blobs, bytes };
      const first: OperatorEvent = { event: 'collected', level: 'info', message, ...counts };
      return leap ? [first, { event: 'notice', level: 'warn', message: leapLine(leap) }] : [first];
    }
    case 'scrubbed':
      return scrubEvents(observation);
    case 'damaged': {
      const { digest } = observation;
      return [{ event: 'damaged', level: 'error', message: `damaged, and not served any more: ${digest}`, digest }];
    }
    case 'fetching': {
      const { digest } = observation;
      const from = quote(observation.from);
      const message = `fetching what is damaged: ${digest} from ${from}`;
      return [{ event: 'fetching', level: 'info', message, digest, from }];
    }
    case 'mended': {
      const { fault } = observation;
      const message = `mended: ${inLine(describedFault(fault))}`;
      return [{ event: 'mended', level: 'info', message, ...faultFields(fault) }];
    }
    case 'housekeeping-failed': {
      const { code, text } = errorText(observation.error);
      return [{ event: 'housekeeping-failed', level: 'error', message: text, code }];
    }
    case 'proxy-fetching':
    case 'proxy-fetched':
    case 'proxy-stored':
    case 'proxy-failed':
      return [proxyEvent(observation)];
    case 'notice':
      return [{ event: 'notice', level: observation.level, message: inLine(observation.text) }];
    case 'serving': {
      const { open } = observation;
      const first = lifeEvent(observation);
      return open === undefined ? [first] : [first, { event: 'notice', level: 'info', message: inLine(open) }];
    }
    case 'reloaded':
    case 'stopping':
    case 'stopped':
      return [lifeEvent(observation)];
  }
}

export function requestEvent(event: RequestEvent): OperatorEvent & RequestFields {
  const { id, kind, method, url, status, code, host, repository, reference, digest, remote, received, sent } = event;
  const path = safePath(url);
  return {
    event: 'request',
    level: 'info',
    message: `${method} ${path} ${status}${code === undefined ? '' : ` ${code}`}`,
    request: id,
    kind,
    method,
    path,
    status,
    ...(code !== undefined && { code }),
    ...(host !== undefined && { host }),
    ...(repository !== undefined && { repository }),
    ...(reference !== undefined && { reference }),
    ...(digest !== undefined && { digest }),
    address: remote,
    who: whoOf(event),
    received,
    sent,
    duration: Math.round(event.duration * 10) / 10,
    ...(event.userAgent !== undefined && { userAgent: event.userAgent }),
  };
}

function scrubEvents(scrubbed: Scrubbed): readonly OperatorEvent[] {
  const { blobs, bytes, findings, mended, news, incomplete } = scrubbed;
  const found = news.slice(0, MOST).map(({ why, ...fault }): OperatorEvent => {
    const notMended = why === undefined ? '' : `; not mended: ${why}`;
    const message = inLine(`${describedFault(fault)}${neededBy(fault)}${notMended}`);
    return { event: 'finding', level: 'error', message, ...faultFields(fault) };
  });
  const counts = { blobs, bytes, faults: findings.length, mended, incompleteImages: incomplete.length };
  const level = incomplete.length > 0 ? 'warn' : 'info';
  return [...found, { event: 'scrubbed', level, message: scrubText(scrubbed), ...counts }];
}

function faultFields({
  kind,
  where,
  digest,
}: {
  readonly kind: string;
  readonly where: string;
  readonly digest?: string;
}) {
  return { fault: kind, where: inLine(where), ...(digest !== undefined && { digest }) };
}

function proxyEvent(event: ProxyEvent): OperatorEvent {
  const { host, repository } = event;
  const from = { host, repository };
  const what = `${host}/${repository}`;
  switch (event.type) {
    case 'proxy-fetching': {
      const { digest, size } = event;
      const message = `fetching ${what}@${digest}, ${formatBytes(size)}`;
      return { event: event.type, level: 'debug', message, ...from, digest, bytes: size };
    }
    case 'proxy-fetched': {
      const { digest, bytes } = event;
      const duration = Math.round(event.duration * 10) / 10;
      const message = `fetched ${what}@${digest}, ${formatBytes(bytes)} in ${(duration / 1000).toFixed(1)} s`;
      return { event: event.type, level: 'debug', message, ...from, digest, bytes, duration };
    }
    case 'proxy-stored': {
      const { digest } = event;
      const tags = event.tags.slice(0, MOST);
      const named = tags.length > 0 ? `:${tags.join(', :')}` : `@${digest}`;
      return { event: event.type, level: 'info', message: `all of ${what}${named} is here`, ...from, digest, tags };
    }
    case 'proxy-failed': {
      const { code, text } = errorText(event.error);
      return { event: event.type, level: 'warn', message: `fetching ${what}: ${text}`, ...from, code };
    }
  }
}

function lifeEvent(
  event: Extract<Observation, { type: 'serving' | 'reloaded' | 'stopping' | 'stopped' }>,
): OperatorEvent {
  const level = 'info';
  switch (event.type) {
    case 'serving': {
      const data = inLine(event.data);
      const addresses = event.addresses.map((address) => listenUrl(address));
      return { event: 'serving', level, message: `serving ${data} at ${addresses.join(', ')}`, data, addresses };
    }
    case 'reloaded': {
      const file = inLine(event.file);
      return { event: 'reloaded', level, message: `the configuration is in use: ${file}`, file };
    }
    case 'stopping':
      return { event: 'stopping', level, message: 'stopping' };
    case 'stopped':
      return { event: 'stopped', level, message: 'stopped' };
  }
}
