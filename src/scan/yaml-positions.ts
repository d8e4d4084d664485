// Where the values of one YAML document stand, read off the parser's events when somebody asks. Relies on js-yaml's event stream.
import { EVENT_ID, type Event, getScalarValue, SCALAR_STYLE } from 'js-yaml';
import type { Path } from './contract.ts';

export interface Position {
  /** Offset in the parsed text at which the value begins. */
  readonly offset: number;
  /** The value is a block scalar: its lines are lines of the file. */
  readonly isBlock: boolean;
}

/** `<<` in what `<<` brings in, and so on; a document can even hold itself. */
const MAX_MERGES = 20;

interface Source {
  readonly events: readonly Event[];
  readonly text: string;
}

/** Finds a path in the document that these events make up; where it leads nowhere, the nearest value above it. */
export function findPosition(source: Source, path: Path): Position {
  let at = source.events[0]?.type === EVENT_ID.DOCUMENT ? 1 : 0;
  for (const key of path) {
    const child = childOf(source, at, key);
    if (child === undefined) break;
    at = child;
  }
  return positionOf(source, at);
}

/** Index of the event that begins the child's value. Of keys that are given twice the last counts, as for kubectl. */
function childOf(source: Source, at: number, key: string | number, merges = 0): number | undefined {
  const { events, text } = source;
  const index = followAlias(source, at);
  if (events[index]?.type === EVENT_ID.SEQUENCE) return itemOf(events, index, Number(key));
  if (events[index]?.type !== EVENT_ID.MAPPING) return undefined;
  let found: number | undefined;
  const merged: number[] = [];
  let entry = index + 1;
  for (let event = events[entry]; event && event.type !== EVENT_ID.POP; event = events[entry]) {
    const value = skip(events, entry);
    const name = event.type === EVENT_ID.SCALAR ? getScalarValue(text, event) : undefined;
    if (name === String(key)) found = value;
    else if (name === '<<') merged.push(value);
    entry = skip(events, value);
  }
  if (found !== undefined || merges >= MAX_MERGES) return found;
  for (const value of merged.flatMap((value) => mergedMaps(source, value))) {
    found ??= childOf(source, value, key, merges + 1);
  }
  return found;
}

function itemOf(events: readonly Event[], sequence: number, wanted: number): number | undefined {
  let item = sequence + 1;
  for (let count = 0; count < wanted && events[item]?.type !== EVENT_ID.POP; count++) item = skip(events, item);
  return events[item]?.type === EVENT_ID.POP ? undefined : item;
}

/** `<<: *a` and `<<: [*a, *b]`. */
function mergedMaps(source: Source, value: number): number[] {
  const index = followAlias(source, value);
  if (source.events[index]?.type !== EVENT_ID.SEQUENCE) return [index];
  const maps: number[] = [];
  for (let item = index + 1; source.events[item] && source.events[item]?.type !== EVENT_ID.POP; ) {
    maps.push(item);
    item = skip(source.events, item);
  }
  return maps;
}

/** The index behind the value that begins at `at`. */
function skip(events: readonly Event[], at: number): number {
  let depth = 0;
  let index = at;
  do {
    const type = events[index]?.type;
    if (type === EVENT_ID.MAPPING || type === EVENT_ID.SEQUENCE) depth++;
    else if (type === EVENT_ID.POP) depth--;
    index++;
  } while (depth > 0 && index < events.length);
  return index;
}

/** The nearest anchor of this name before the alias (YAML 1.2.2, 7.1). */
function followAlias({ events, text }: Source, at: number): number {
  const alias = events[at];
  if (alias?.type !== EVENT_ID.ALIAS) return at;
  const name = text.slice(alias.anchorStart, alias.anchorEnd);
  return events.findLastIndex((event, index) => {
    const isAnchored = index < at && 'anchorStart' in event && event.type !== EVENT_ID.ALIAS && event.anchorStart >= 0;
    return isAnchored && text.slice(event.anchorStart, event.anchorEnd) === name;
  });
}

function positionOf({ events }: Source, at: number): Position {
  const event = events[at];
  const isBlock =
    event?.type === EVENT_ID.SCALAR &&
    (event.style === SCALAR_STYLE.LITERAL_BLOCK || event.style === SCALAR_STYLE.FOLDED_BLOCK);
  // An empty value stands nowhere: its key does.
  for (let index = at; index >= 0; index--) {
    const offset = offsetOf(events[index]);
    if (offset >= 0) return { offset, isBlock };
  }
  return { offset: 0, isBlock: false };
}

function offsetOf(event: Event | undefined): number {
  if (event?.type === EVENT_ID.SCALAR) return event.valueStart;
  if (event?.type === EVENT_ID.ALIAS) return event.anchorStart;
  return event && 'start' in event ? event.start : -1;
}
