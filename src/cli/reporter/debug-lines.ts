// Formats debug events as lines on stderr: `[SECONDS TOPIC] what happened`. Loaded only with --debug.
import type { StepOutcome } from '../../build/request.ts';
import type { CopyEvent, NotFetched } from '../../copy/events.ts';
import { withoutSecrets } from '../../io/text/secrets.ts';
import type { ClientDecision, RetryEvent } from '../../registry/client/settings.ts';
import type { ServerEvent } from '../../server/events.ts';
import type { BaseEvent, DebugEvent, ScanChoice } from '../../tasks/settings.ts';
import type { DebugTopic } from '../process/debug-topics.ts';
import { safeLine } from '../process/safe-text.ts';

type EventOf<Topic extends DebugTopic> = Extract<DebugEvent, { readonly topic: Topic }>['event'];

/** Prints the events of these topics. Seconds are counted from `began`, a value of `performance.now()`. */
export function debugPrinter(
  topics: ReadonlySet<DebugTopic>,
  note: (line: string) => void,
  began = 0,
): (event: DebugEvent) => void {
  return (event) => {
    if (!topics.has(event.topic)) return;
    const line = lineOf(event);
    if (line === undefined) return;
    const seconds = ((performance.now() - began) / 1000).toFixed(3);
    note(`[${seconds} ${event.topic}] ${safeLine(withoutSecrets(line))}`);
  };
}

/** Returns `undefined` for mere progress. */
function lineOf(told: DebugEvent): string | undefined {
  switch (told.topic) {
    case 'http':
      return exchangeLine(told.event);
    case 'hosts':
      return hostsLine(told.event);
    case 'copy':
      return copyLine(told.event);
    case 'build':
      return buildLine(told.event);
    case 'scan':
      return scanLine(told.event);
    case 'store':
      return storeLine(told.event);
    case 'serve':
      return serveLine(told.event);
  }
}

function exchangeLine({ method, url, status, sent, received, duration, error }: EventOf<'http'>): string {
  const outcome = [...(status === undefined ? [] : [String(status)]), ...(error === undefined ? [] : [reason(error)])];
  return `${method} ${url} ${outcome.join(' ')} ${duration.toFixed(1)}ms sent=${sent} received=${received}`;
}

function hostsLine(event: ClientDecision | ({ readonly type: 'retry' } & RetryEvent)): string {
  switch (event.type) {
    case 'credentials': {
      const what = `${event.host}${event.repository === undefined ? '' : `/${event.repository}`}`;
      const none = event.searched.length === 0 ? '' : `: none in ${event.searched.join(', ')}`;
      return `${what} credentials: ${event.used ?? `nobody's${none}`}`;
    }
    case 'routes': {
      const resting = event.resting.length === 0 ? '' : ` (did not answer lately: ${event.resting.join(', ')})`;
      return `${event.host}/${event.repository} is asked for at ${event.order.join(', ')}${resting}`;
    }
    case 'answered':
      return `${event.host}/${event.repository} comes from ${event.by}`;
    case 'passed-over':
      return `${event.host}: ${event.by} is passed over: ${reason(event.error)}`;
    case 'scheme':
      return `${event.host} speaks ${event.scheme}`;
    case 'retry':
      return `${event.host} again in ${(event.after / 1000).toFixed(1)} s: ${event.what}: ${event.why}`;
  }
}

const NOT_FETCHED: Readonly<Record<NotFetched, string>> = {
  there: 'is there already',
  mounted: 'is mounted from another name of this run',
  remembered: 'is mounted from a repository that is remembered to have it',
  found: 'needs no bytes: the destination has it by now',
  planned: 'was read for the plan',
};

function copyLine(event: CopyEvent): string | undefined {
  switch (event.type) {
    case 'not-fetched':
      return `${event.image} ${event.what} ${event.digest} (${event.size} bytes) ${NOT_FETCHED[event.why]}`;
    case 'not-mounted':
      return `${event.image} blob ${event.digest} could not be mounted from ${event.from}`;
    case 'blob':
      return event.from >= event.size
        ? `blob ${event.digest} is held whole: it only needs a link`
        : `blob ${event.digest} is fetched from byte ${event.from} of ${event.size}`;
    case 'plan':
      return `plan: ${event.images} images, ${event.blobs} blobs to fetch, ${event.bytes} bytes; ${event.alreadyThere} bytes are there`;
    case 'image-done':
      return `${event.image} is done: ${event.digest}`;
    case 'image-failed':
      return `${event.image} failed: ${reason(event.error)}`;
    case 'compressing':
      return `${event.bytes} bytes of layers are compressed for their digests`;
    default:
      return undefined;
  }
}

const STEP: Readonly<Record<StepOutcome, string>> = {
  remembered: 'is remembered, not done',
  'no-change': 'changes nothing, as is remembered',
  rewritten: 'is remembered with other times or compression: written anew, not done',
  unknown: 'was done: nothing is remembered of it with these inputs',
  'layer-gone': 'was done: its layer is remembered and no longer there',
  'not-asked': 'was done: what is remembered is not to be used',
};

function buildLine(event: EventOf<'build'>): string | undefined {
  if (event.type === 'base') return `${event.name} ${BASE[event.from]} ${event.what}`;
  return event.type === 'step-done' ? `[${event.stage}] ${event.text} ${STEP[event.why]}` : undefined;
}

const BASE: Readonly<Record<BaseEvent['from'], string>> = {
  local: 'is here:',
  remembered: 'is remembered, its registry is not asked:',
  registry: 'comes from its registry:',
};

const SCANNED: Readonly<Record<ScanChoice['why'], string>> = {
  remembered: 'is remembered: nothing in it has changed',
  changed: 'is scanned: something in it has changed',
  unknown: 'is scanned: nothing is remembered of it',
  unsettled: 'is scanned, and not remembered: a file was changed just now, or cannot be read',
  'not-asked': 'is scanned: there is no cache, or values or rules are given',
};

function scanLine(event: EventOf<'scan'>): string {
  switch (event.type) {
    case 'directory':
      return `${event.directory} ${SCANNED[event.why]}`;
    case 'claimed':
      return `${event.file} is handled by the rule ${event.rule}`;
    case 'read': {
      const found = Object.entries(event.found).map(([rule, count]) => `${rule} ${count}`);
      return `${event.file} is read, documents: ${event.documents}, found: ${found.join(', ') || 'nothing'}`;
    }
    case 'not-parsed':
      return `${event.file}:${event.line} is not parsed: ${event.size} characters without the clue of a rule`;
    case 'skipped':
      return `${event.file} is not read: by its name it is no manifest`;
  }
}

function storeLine({ call, repository, what, outcome, duration, error }: EventOf<'store'>): string {
  const asked = [call, repository, what].filter((word) => word !== undefined).join(' ');
  return `${asked}: ${outcome} ${duration.toFixed(1)}ms${error === undefined ? '' : ` ${reason(error)}`}`;
}

function serveLine(event: ServerEvent): string {
  const what = `${event.method} ${event.url.split('?', 1)[0]}`;
  if (event.type === 'failure') return `${what} ${reason(event.error)}`;
  const { status, code = '-', sent, received, duration, remote } = event;
  return `${what} ${status} ${code} ${duration.toFixed(1)}ms sent=${sent} received=${received} from=${remote}`;
}

function reason(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
