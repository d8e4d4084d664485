// Limits for the expansion of a YAML document: aliases can make a small text an endless tree. Relies on js-yaml's event stream.
import { EVENT_ID, type Event, parseEvents, YAMLException } from 'js-yaml';

/** Maximum nesting depth, also through aliases. Protects the stack from hostile files. */
const MAX_DEPTH = 300;
/** Maximum number of characters that aliases may repeat: rules examine a text at each of its positions. */
const MAX_REPEATED_TEXT = 16 << 20;

/**
 * The events of a text. Throws YAMLException if the text does not parse, and if it expands too far: aliases that multiply each other,
 * and values that contain themselves. Go's parser (kubectl, Helm) refuses the same.
 */
export function parseBounded(text: string): Event[] {
  const events = parseEvents(text, { maxDepth: MAX_DEPTH });
  if (events.some(({ type }) => type === EVENT_ID.ALIAS)) refuseExcess(events, text);
  return events;
}

interface Size {
  readonly values: number;
  readonly characters: number;
  readonly depth: number;
}

/** A collection that has begun and has not ended. */
interface Open {
  values: number;
  characters: number;
  depth: number;
  readonly anchor: string | undefined;
}

function refuseExcess(events: readonly Event[], text: string): void {
  const anchored = new Map<string, Size | 'open'>();
  const open: Open[] = [];
  let written = 0;
  let repeatedText = 0;
  const refuse = (event: Event, reason: string): never =>
    YAMLException.throwAt(text, 'anchorStart' in event ? Math.max(0, event.anchorStart) : 0, reason, '');
  const add = (event: Event, { values, characters, depth }: Size): void => {
    const parent = open.at(-1);
    if (!parent) return;
    parent.values += values;
    parent.characters += characters;
    parent.depth = Math.max(parent.depth, depth + 1);
    if (parent.depth > MAX_DEPTH + 1) refuse(event, 'nesting exceeded, through aliases');
    if (isExcessive(parent.values, parent.values - written)) refuse(event, 'document contains excessive aliasing');
  };
  for (const event of events) {
    const name =
      'anchorStart' in event && event.anchorStart >= 0 ? text.slice(event.anchorStart, event.anchorEnd) : undefined;
    if (event.type === EVENT_ID.DOCUMENT) {
      anchored.clear();
      written = 0;
      open.push({ values: 0, characters: 0, depth: 0, anchor: undefined });
    } else if (event.type === EVENT_ID.POP) {
      const closed = open.pop();
      if (closed?.anchor !== undefined) anchored.set(closed.anchor, closed);
      if (closed) add(event, closed);
    } else if (event.type === EVENT_ID.ALIAS) {
      const size = anchored.get(name ?? '');
      if (size === 'open') refuse(event, `anchor '${name}' value contains itself`);
      else if (size) {
        repeatedText += size.characters;
        if (repeatedText > MAX_REPEATED_TEXT) refuse(event, 'document contains excessive aliasing of long texts');
        written++;
        add(event, { ...size, values: size.values + 1 });
      }
    } else {
      written++;
      if (event.type === EVENT_ID.SCALAR) {
        const size = { values: 1, characters: Math.max(0, event.valueEnd - event.valueStart), depth: 0 };
        if (name !== undefined) anchored.set(name, size);
        add(event, size);
      } else {
        if (name !== undefined) anchored.set(name, 'open');
        open.push({ values: 1, characters: 0, depth: 0, anchor: name });
      }
    }
  }
}

/** Go's rule (go.yaml.in/yaml, decode.go): in a large document a few percent of the values may be repeated, in a small one nearly all. */
function isExcessive(values: number, repeated: number): boolean {
  if (repeated <= 100 || values <= 1000) return false;
  const [few, many] = [400_000, 4_000_000];
  const share = Math.min(1, Math.max(0, (values - few) / (many - few)));
  return repeated / values > 0.99 - 0.89 * share;
}
