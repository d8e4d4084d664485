// The positions of values in one YAML document, computed from the parser's events on request. Relies on js-yaml's event stream.
import { EVENT_ID, type Event, getScalarValue, SCALAR_STYLE } from 'js-yaml';
import type { Path } from './contract.ts';
import { countBelow } from './line-starts.ts';

export interface Position {
  /** The offset in the parsed text at which the value begins. */
  readonly offset: number;
  /** The value is a block scalar, so its lines are lines of the file. */
  readonly isBlock: boolean;
  /** The tag before the value, as it is written: `!reset`. Empty if there is none. */
  readonly tag: string;
}

interface Source {
  readonly events: readonly Event[];
  readonly text: string;
}

/**
 * Returns a function that finds the position of a path in the document of these events. For an unknown path it returns the nearest value above.
 * The children of each collection are cached, because a document with many objects is asked for each of them.
 */
export function createPositions(source: Source): (path: Path) => Position {
  const { events } = source;
  let index: EventIndex | undefined;
  return (path) => {
    index ??= createIndex(source);
    let at = events[0]?.type === EVENT_ID.DOCUMENT ? 1 : 0;
    for (const key of path) {
      const child = childOf(index, at, key);
      if (child === undefined) break;
      at = child;
    }
    return positionOf(source, at);
  };
}

/** An event is identified by its index. */
interface EventIndex {
  readonly events: readonly Event[];
  childrenOf(collection: number): Children;
  /** The value to which an alias refers. Other values are returned unchanged. */
  followAlias(at: number): number;
}

interface Children {
  /** The items of a sequence, in order. */
  readonly items: readonly number[];
  /** The values of a mapping. For duplicate keys the last one counts, as in kubectl. */
  readonly fields: ReadonlyMap<string, number>;
  /** The mappings that `<<` merges, in document order. */
  readonly merged: readonly number[];
}

function createIndex({ events, text }: Source): EventIndex {
  const known = new Map<number, Children>();
  const ends = endsOf(events);
  let anchors: ReadonlyMap<string, readonly number[]> | undefined;
  return {
    events,
    childrenOf: (collection) => {
      const children = known.get(collection) ?? readChildren({ events, text }, collection, ends);
      known.set(collection, children);
      return children;
    },
    followAlias: (at) => {
      const alias = events[at];
      if (alias?.type !== EVENT_ID.ALIAS) return at;
      // The nearest anchor of this name before the alias (YAML 1.2.2, 7.1).
      anchors ??= anchorsOf({ events, text });
      const named = anchors.get(text.slice(alias.anchorStart, alias.anchorEnd)) ?? [];
      return named[countBelow(named, at) - 1] ?? at;
    },
  };
}

/** For each event that begins a value, the index of the event after that value. */
function endsOf(events: readonly Event[]): Int32Array {
  const ends = new Int32Array(events.length);
  const open: number[] = [];
  for (let at = 0; at < events.length; at++) {
    const type = events[at]?.type;
    if (type === EVENT_ID.MAPPING || type === EVENT_ID.SEQUENCE || type === EVENT_ID.DOCUMENT) open.push(at);
    else {
      ends[at] = at + 1;
      if (type === EVENT_ID.POP) ends[open.pop() ?? at] = at + 1;
    }
  }
  return ends;
}

/** The events with each anchor, ascending. */
function anchorsOf({ events, text }: Source): ReadonlyMap<string, readonly number[]> {
  const anchors = new Map<string, number[]>();
  for (const [at, event] of events.entries()) {
    if (event.type === EVENT_ID.ALIAS || !('anchorStart' in event) || event.anchorStart < 0) continue;
    const name = text.slice(event.anchorStart, event.anchorEnd);
    const known = anchors.get(name);
    if (known) known.push(at);
    else anchors.set(name, [at]);
  }
  return anchors;
}

function readChildren({ events, text }: Source, collection: number, ends: Int32Array): Children {
  const items: number[] = [];
  const fields = new Map<string, number>();
  const merged: number[] = [];
  const isMapping = events[collection]?.type === EVENT_ID.MAPPING;
  let at = collection + 1;
  for (let event = events[at]; event && event.type !== EVENT_ID.POP; event = events[at]) {
    const value = isMapping ? (ends[at] ?? events.length) : at;
    const key = isMapping && event.type === EVENT_ID.SCALAR ? getScalarValue(text, event) : undefined;
    if (!isMapping) items.push(value);
    else if (key === '<<') merged.push(value);
    else if (key !== undefined) fields.set(key, value);
    at = ends[value] ?? events.length;
  }
  return { items, fields, merged };
}

function childOf(index: EventIndex, at: number, key: string | number): number | undefined {
  // A merged mapping may merge others, and a document can even contain itself.
  const seen = new Set<number>();
  const pending = [index.followAlias(at)];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    if (seen.has(next)) continue;
    seen.add(next);
    const type = index.events[next]?.type;
    if (type !== EVENT_ID.SEQUENCE && type !== EVENT_ID.MAPPING) continue;
    const { items, fields, merged } = index.childrenOf(next);
    const found = type === EVENT_ID.SEQUENCE ? items[Number(key)] : fields.get(String(key));
    if (found !== undefined) return found;
    const further = merged.flatMap((value) => mergedMaps(index, value));
    for (const map of further.reverse()) pending.push(index.followAlias(map));
  }
  return undefined;
}

/** The mappings in `<<: *a` and `<<: [*a, *b]`. */
function mergedMaps(index: EventIndex, value: number): readonly number[] {
  const at = index.followAlias(value);
  return index.events[at]?.type === EVENT_ID.SEQUENCE ? index.childrenOf(at).items : [at];
}

function positionOf({ events, text }: Source, at: number): Position {
  const event = events[at];
  const tag = event && 'tagStart' in event && event.tagStart >= 0 ? text.slice(event.tagStart, event.tagEnd) : '';
  const isBlock =
    event?.type === EVENT_ID.SCALAR &&
    (event.style === SCALAR_STYLE.LITERAL_BLOCK || event.style === SCALAR_STYLE.FOLDED_BLOCK);
  // An empty value has no position, so the position of its key is used.
  for (let index = at; index >= 0; index--) {
    const offset = offsetOf(events[index]);
    if (offset >= 0) return { offset, isBlock, tag };
  }
  return { offset: 0, isBlock: false, tag };
}

function offsetOf(event: Event | undefined): number {
  if (event?.type === EVENT_ID.SCALAR) return event.valueStart;
  if (event?.type === EVENT_ID.ALIAS) return event.anchorStart;
  return event && 'start' in event ? event.start : -1;
}
