// Where the values of one YAML document stand, worked out from the parser's events when somebody asks. Relies on js-yaml's event stream.
import { EVENT_ID, type Event, getScalarValue, SCALAR_STYLE } from 'js-yaml';
import type { Path } from './contract.ts';

export interface Position {
  /** Offset in the parsed text at which the value begins. */
  readonly offset: number;
  /** The value is a block scalar: its lines are lines of the file. */
  readonly isBlock: boolean;
}

interface Node {
  readonly offset: number;
  readonly isBlock: boolean;
  readonly children: Map<string | number, Node>;
  /** What `<<` brings in; a key of the mapping itself wins. */
  readonly merged: Node[];
}

/** Finds a path in the document that these events make up; where it leads nowhere, the nearest value above it. */
export function positionFinder(events: readonly Event[], source: string): (path: Path) => Position {
  let root: Node | undefined;
  return (path) => {
    root ??= readNodes(events, source);
    let node = root;
    for (const key of path) {
      const next = childOf(node, key);
      if (!next) break;
      node = next;
    }
    return node;
  };
}

function childOf(node: Node, key: string | number): Node | undefined {
  const own = node.children.get(key);
  if (own) return own;
  for (const source of node.merged) {
    const found = source.children.get(key);
    if (found) return found;
    for (const item of source.children.values()) {
      if (item.children.has(key)) return item.children.get(key);
    }
  }
  return undefined;
}

function readNodes(events: readonly Event[], source: string): Node {
  const root: Node = { offset: 0, isBlock: false, children: new Map(), merged: [] };
  const anchors = new Map<string, Node>();
  const open: { node: Node; isMapping: boolean; key: string | undefined; keyOffset: number; index: number }[] = [];

  const place = (node: Node, event: Event): void => {
    if ('anchorStart' in event && event.anchorStart >= 0 && event.type !== EVENT_ID.ALIAS) {
      anchors.set(source.slice(event.anchorStart, event.anchorEnd), node);
    }
    const parent = open.at(-1);
    if (!parent) root.children.set('', node);
    else if (!parent.isMapping) parent.node.children.set(parent.index++, node);
    else if (parent.key === undefined) {
      parent.key = event.type === EVENT_ID.SCALAR ? getScalarValue(source, event) : '';
      parent.keyOffset = node.offset;
    } else {
      if (parent.key === '<<') parent.node.merged.push(node);
      else parent.node.children.set(parent.key, node);
      parent.key = undefined;
    }
  };

  for (const event of events) {
    if (event.type === EVENT_ID.POP) open.pop();
    else if (event.type !== EVENT_ID.DOCUMENT) {
      const parent = open.at(-1);
      const fallback = parent?.key === undefined ? (parent?.node.offset ?? 0) : parent.keyOffset;
      const node = nodeOf(event, { fallback, anchors, source });
      place(node, event);
      const isMapping = event.type === EVENT_ID.MAPPING;
      if (isMapping || event.type === EVENT_ID.SEQUENCE) {
        open.push({ node, isMapping, key: undefined, keyOffset: node.offset, index: 0 });
      }
    }
  }
  return root.children.get('') ?? root;
}

function nodeOf(
  event: Event,
  context: { readonly fallback: number; readonly anchors: ReadonlyMap<string, Node>; readonly source: string },
): Node {
  const fresh = { isBlock: false, children: new Map<string | number, Node>(), merged: [] };
  if (event.type === EVENT_ID.SCALAR) {
    const isBlock = event.style === SCALAR_STYLE.LITERAL_BLOCK || event.style === SCALAR_STYLE.FOLDED_BLOCK;
    return { ...fresh, offset: event.valueStart >= 0 ? event.valueStart : context.fallback, isBlock };
  }
  if (event.type === EVENT_ID.ALIAS) {
    const target = context.anchors.get(context.source.slice(event.anchorStart, event.anchorEnd));
    return { ...(target ?? fresh), offset: event.anchorStart };
  }
  return { ...fresh, offset: 'start' in event && event.start >= 0 ? event.start : context.fallback };
}
