// Parses a text into documents. A document that does not parse does not affect the other documents of the file. Relies on js-yaml.
import { constructFromEvents, EVENT_ID, type Event, YAMLException } from 'js-yaml';
import { addAll } from '../oci/add-all.ts';
import type { Path, ScannedDocument } from './contract.ts';
import { createLineCounter } from './line-starts.ts';
import { parseIndented } from './yaml-indentation.ts';
import { parseBounded } from './yaml-limits.ts';
import { createPositions } from './yaml-positions.ts';
import { SCHEMA } from './yaml-schema.ts';

/** The reason for a text that is a template, from which another program makes YAML. */
export const TEMPLATE = 'it is a template';

export interface BrokenPart {
  /** The line of the file at which `text` begins. */
  readonly firstLine: number;
  /** The line of the file with the syntax error. */
  readonly line: number;
  readonly text: string;
  readonly reason: string;
}

export interface ParsedYaml {
  readonly documents: readonly ScannedDocument[];
  readonly broken: readonly BrokenPart[];
}

/**
 * Parses each part between `---` lines separately. Empty documents are left out.
 * `wanted` is asked with the text of a part, and its first line, before it is parsed. A rejected part is neither a document nor broken.
 */
export function parseYaml(
  file: string,
  text: string,
  wanted: (part: string, firstLine: number) => boolean = () => true,
): ParsedYaml {
  const documents: ScannedDocument[] = [];
  const broken: BrokenPart[] = [];
  for (const part of partsOf(normalLines(text))) {
    if (!wanted(part.text, part.firstLine)) continue;
    try {
      addAll(documents, parsePart(file, part));
    } catch (error) {
      broken.push({ ...part, line: part.firstLine + errorLine(error, part), reason: reasonOf(error, part) });
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

/** `---` or `...` in the first column always separates documents, even inside a block scalar (YAML 1.2.2, 9.1.2). */
function* partsOf(text: string): Iterable<Part> {
  let firstLine = 1;
  let from = 0;
  for (const at of [...partStarts(text), text.length]) {
    const part = text.slice(from, at);
    if (hasContent(part)) yield { firstLine, text: part };
    firstLine += countLines(part);
    from = at;
  }
}

/** If a `---` was forgotten, a second `apiVersion:` and `kind:` begin a new object. Parsed as one, the first object would be lost. */
function* partStarts(text: string): Iterable<number> {
  const heads = [...text.matchAll(/^(?:---(?=[ \t\n]|$)|\.\.\.[ \t]*\n|(?:apiVersion|kind):)/gm)];
  const known = new Set<string>();
  for (const [at, { 0: head, index }] of heads.entries()) {
    const next = heads[at + 1]?.[0];
    const isMark = !isField(head);
    const isPair = known.size === 2 && isField(next) && next !== head;
    if (isMark || isPair) {
      known.clear();
      yield head.startsWith('.') ? index + head.length : index;
    }
    if (!isMark) known.add(head);
  }
}

function isField(head: string | undefined): boolean {
  return head?.endsWith(':') === true;
}

/** Whether the part has more than comments, directives and document markers. */
function hasContent(part: string): boolean {
  return part.split('\n').some((line) => {
    const text = line.trimEnd();
    return text !== '' && !/^(?:---[ \t]*(?:#.*)?$|\.\.\.|%|[ \t]*#)/.test(text);
  });
}

function countLines(text: string): number {
  let count = 0;
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) count++;
  return count;
}

function parsePart(file: string, written: Part): ScannedDocument[] {
  const { text, parsed: events } = parseIndented(written.text, parseBounded);
  const part = { ...written, text };
  const values = constructFromEvents(events, { source: part.text, schema: SCHEMA, json: true });
  const groups = values.length > 1 ? eventsByDocument(events) : [events];
  const linesBefore = createLineCounter(text);
  return values.flatMap((value, index) =>
    value === null || value === undefined
      ? []
      : [documentOf({ file, part, linesBefore }, { value, events: groups[index] ?? [] })],
  );
}

function eventsByDocument(events: readonly Event[]): Event[][] {
  const groups: Event[][] = [];
  for (const event of events) {
    if (event.type === EVENT_ID.DOCUMENT) groups.push([]);
    groups.at(-1)?.push(event);
  }
  return groups;
}

interface Whereabouts {
  readonly file: string;
  readonly part: Part;
  readonly linesBefore: (offset: number) => number;
}

function documentOf(
  { file, part, linesBefore }: Whereabouts,
  parsed: { readonly value: unknown; readonly events: readonly Event[] },
): ScannedDocument {
  const find = createPositions({ events: parsed.events, text: part.text });
  const lineAt = (offset: number): number => part.firstLine + linesBefore(offset);
  return {
    file,
    value: parsed.value,
    source: part.text,
    lineOf: (path: Path) => lineAt(find(path).offset),
    tagOf: (path: Path) => find(path).tag,
    lineInText: (path: Path, line: number) => {
      const position = find(path);
      return lineAt(position.offset) + (position.isBlock ? line - 1 : 0);
    },
  };
}

/** Counted from 0. An error at the end of the text is reported for the last line that is not empty. */
function errorLine(error: unknown, { text }: Part): number {
  const line = error instanceof YAMLException ? (error.mark?.line ?? 0) : 0;
  return Math.min(line, countLines(text.trimEnd()));
}

function reasonOf(error: unknown, { text }: Part): string {
  if (/\{\{/.test(text)) return TEMPLATE;
  if (error instanceof YAMLException) return error.reason;
  // Deeply nested flow collections can exhaust the stack before the depth limit applies.
  return error instanceof RangeError ? 'it is nested too deeply' : String(error);
}
