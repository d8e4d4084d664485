// Where in a Dockerfile something stands, and mistakes as a compiler tells them: file, line, the line itself, a caret, the word that was probably meant.
import { ImagesError } from '../../oci/errors.ts';
import { nearest } from '../../oci/nearest.ts';

export interface DockerfileSource {
  /** For messages: a path, or what the text is. */
  readonly name: string;
  /** Without line ends. */
  readonly lines: readonly string[];
}

/** Both count from 1; the column in UTF-16 units. */
export interface SourcePosition {
  readonly line: number;
  readonly column: number;
}

/** Of an instruction: its lines, heredocs included. */
export interface LineRange {
  readonly first: number;
  readonly last: number;
}

/** A piece of a statement that stands in one line of the file. */
export interface Segment extends SourcePosition {
  /** Where it begins in the statement's text. */
  readonly at: number;
}

/** One instruction as text: continued lines joined, comments and empty lines in between left out. */
export interface Statement {
  readonly source: DockerfileSource;
  readonly text: string;
  readonly segments: readonly Segment[];
  readonly range: LineRange;
}

export interface Mistake {
  /** Where in the statement's text, and how much of it. */
  readonly at?: number;
  readonly length?: number;
  /** The word that is wrong, with those that would be right. */
  readonly word?: string;
  readonly candidates?: readonly string[];
  readonly hint?: string;
  readonly cause?: unknown;
}

/** A mistake in a statement. */
export function mistake(statement: Statement, message: string, details: Mistake = {}): ImagesError {
  const { at = 0, length = details.word?.length ?? firstWord(statement.text, at) } = details;
  return mistakeAt(statement.source, positionOf(statement, at), message, { ...details, length });
}

/** A mistake at a place of the file. */
export function mistakeAt(
  source: DockerfileSource,
  position: SourcePosition,
  message: string,
  details: Mistake = {},
): ImagesError {
  const { line, column } = position;
  return new ImagesError('DOCKERFILE_INVALID', `${source.name}:${line}: ${message}`, {
    excerpt: excerptOf(source, position, details.length ?? 1),
    position: { file: source.name, line, column },
    ...hintOf(details),
    ...(details.cause !== undefined && { cause: details.cause }),
  });
}

/** Where a character of a statement stands in the file. */
export function positionOf({ segments, range }: Statement, at: number): SourcePosition {
  const segment = segments.findLast((each) => each.at <= at);
  return segment ? { line: segment.line, column: segment.column + at - segment.at } : { line: range.first, column: 1 };
}

function hintOf({ word, candidates = [], hint }: Mistake): { readonly hint?: string } {
  const meant = word === undefined ? undefined : nearestWord(word, candidates);
  const parts = [...(meant === undefined ? [] : [`Did you mean ${meant}?`]), ...(hint ? [hint] : [])];
  return parts.length > 0 ? { hint: parts.join(' ') } : {};
}

function nearestWord(word: string, candidates: readonly string[]): string | undefined {
  return candidates.find((candidate) => candidate.toLowerCase() === word.toLowerCase()) ?? nearest(word, candidates);
}

/** The line, and a caret below each character that is meant; tabs stay, so that they stand right on every terminal. */
function excerptOf({ lines }: DockerfileSource, { line, column }: SourcePosition, length: number): readonly string[] {
  const text = lines[line - 1] ?? '';
  const number = String(line);
  const before = text.slice(0, column - 1).replaceAll(/[^\t]/g, ' ');
  const carets = '^'.repeat(Math.max(1, Math.min(length, text.length - column + 1)));
  return [`${number} | ${text}`, `${' '.repeat(number.length)} | ${before}${carets}`];
}

function firstWord(text: string, at: number): number {
  return /^\S*/.exec(text.slice(at))?.[0].length || 1;
}
