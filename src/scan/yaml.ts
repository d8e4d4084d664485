// Text → documents. A file may hold many; one that does not parse does not take the others with it. Relies on js-yaml.
import { constructFromEvents, EVENT_ID, type Event, parseEvents, YAMLException } from 'js-yaml';
import type { Path, ScannedDocument } from './contract.ts';
import { findPosition } from './yaml-positions.ts';
import { SCHEMA } from './yaml-schema.ts';

/** A hostile file must cost no more than a stack this deep … */
const MAX_DEPTH = 300;
/** … and this many aliases; values behind them are shared, never copied. */
const MAX_ALIASES = 10_000;
/** … and this many lines set right. */
const MAX_REPAIRS = 100;

export interface BrokenPart {
  /** The line of the file at which `text` begins. */
  readonly firstLine: number;
  /** The line of the file at which the parser gave up. */
  readonly line: number;
  readonly text: string;
  readonly reason: string;
}

export interface ParsedYaml {
  readonly documents: readonly ScannedDocument[];
  readonly broken: readonly BrokenPart[];
}

/**
 * Parses what stands between `---` lines, each part for itself. Empty documents are left out.
 * `wanted` is asked with a part's text before it is parsed: what it refuses is neither a document nor broken.
 */
export function parseYaml(file: string, text: string, wanted: (part: string) => boolean = () => true): ParsedYaml {
  const documents: ScannedDocument[] = [];
  const broken: BrokenPart[] = [];
  for (const part of partsOf(normalLines(text))) {
    if (!wanted(part.text)) continue;
    try {
      documents.push(...parsePart(file, part));
    } catch (error) {
      broken.push({ ...part, line: part.firstLine + errorLine(error, part), reason: reasonOf(error) });
    }
  }
  return { documents, broken };
}

interface Part {
  readonly firstLine: number;
  readonly text: string;
}

function normalLines(text: string): string {
  const unmarked = text.charCodeAt(0) === 0xfeff ? text.slice(1) : text;
  return unmarked.includes('\r') ? unmarked.replace(/\r\n?/g, '\n') : unmarked;
}

/** Nothing but a new document can begin with `---` in the first column, not even inside a block scalar (YAML 1.2.2, 9.1.2). */
function* partsOf(text: string): Iterable<Part> {
  let firstLine = 1;
  let from = 0;
  for (const mark of text.matchAll(/^---(?=[ \t\n]|$)/gm)) {
    const part = text.slice(from, mark.index);
    if (hasContent(part)) yield { firstLine, text: part };
    firstLine += countLines(part);
    from = mark.index;
  }
  const last = text.slice(from);
  if (hasContent(last)) yield { firstLine, text: last };
}

/** Comments, directives and marks alone are no document. */
function hasContent(part: string): boolean {
  return /^(?!---[ \t]*(?:#.*)?$|\.\.\.|%|[ \t]*#)[^\n]*[^\s]/m.test(part);
}

function countLines(text: string): number {
  let count = 0;
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) count++;
  return count;
}

function parsePart(file: string, written: Part): ScannedDocument[] {
  const { part, events } = parseIndented(written);
  const values = constructFromEvents(events, {
    source: part.text,
    schema: SCHEMA,
    json: true,
    maxAliases: MAX_ALIASES,
  });
  const groups = values.length > 1 ? eventsByDocument(events) : [events];
  return values.flatMap((value, index) =>
    value === null || value === undefined ? [] : [documentOf(file, part, { value, events: groups[index] ?? [] })],
  );
}

/**
 * Go's parser, and so kubectl, lets a quoted text or a flow collection go on left of its parent; the specification and js-yaml do not.
 * Blanks before such a line change neither its meaning nor its number.
 */
function parseIndented(written: Part): { readonly part: Part; readonly events: Event[] } {
  let part = written;
  for (let repaired = 0; ; repaired++) {
    try {
      return { part, events: parseEvents(part.text, { maxDepth: MAX_DEPTH }) };
    } catch (error) {
      const line =
        error instanceof YAMLException && error.reason === 'deficient indentation' ? error.mark?.line : undefined;
      if (line === undefined || repaired >= MAX_REPAIRS) throw error;
      part = { ...part, text: indentLine(part.text, line) };
    }
  }
}

function indentLine(text: string, line: number): string {
  let at = 0;
  for (let index = 0; index < line; index++) at = text.indexOf('\n', at) + 1;
  return text.slice(0, at) + ' '.repeat(MAX_DEPTH) + text.slice(at);
}

function eventsByDocument(events: readonly Event[]): Event[][] {
  const groups: Event[][] = [];
  for (const event of events) {
    if (event.type === EVENT_ID.DOCUMENT) groups.push([]);
    groups.at(-1)?.push(event);
  }
  return groups;
}

function documentOf(
  file: string,
  part: Part,
  parsed: { readonly value: unknown; readonly events: readonly Event[] },
): ScannedDocument {
  const find = (path: Path) => findPosition({ events: parsed.events, text: part.text }, path);
  const lineAt = (offset: number): number => part.firstLine + countLines(part.text.slice(0, offset));
  return {
    file,
    value: parsed.value,
    source: part.text,
    lineOf: (path: Path) => lineAt(find(path).offset),
    lineInText: (path: Path, line: number) => {
      const position = find(path);
      return lineAt(position.offset) + (position.isBlock ? line - 1 : 0);
    },
  };
}

/** From 0; what is missing at the end is told of the last line that has something. */
function errorLine(error: unknown, { text }: Part): number {
  const line = error instanceof YAMLException ? (error.mark?.line ?? 0) : 0;
  return Math.min(line, countLines(text.trimEnd()));
}

function reasonOf(error: unknown): string {
  if (error instanceof YAMLException) return error.reason;
  // Deep flow collections can exhaust the stack before the depth is counted.
  return error instanceof RangeError ? 'it is nested too deeply' : String(error);
}
