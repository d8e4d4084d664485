// Positions in a Dockerfile, and errors in the style of a compiler: file, line, the line's text, a caret, and a suggestion.
import { ImagesError } from '../../oci/errors.ts';
import { nearest } from '../../oci/nearest.ts';

export interface DockerfileSource {
  /** The name in messages: a path, or a description of the text. */
  readonly name: string;
  /** Without line ends. */
  readonly lines: readonly string[];
}

/** Both are 1-based; the column is in UTF-16 units. */
export interface SourcePosition {
  readonly line: number;
  readonly column: number;
}

/** The lines of an instruction, with its heredocs. */
export interface LineRange {
  readonly first: number;
  readonly last: number;
}

/** The part of a statement that is on one line of the file. */
export interface Segment extends SourcePosition {
  /** Offset of its first character in the statement's text. */
  readonly at: number;
}

/** The text of one instruction: continued lines are joined; comments and empty lines between them are omitted. */
export interface Statement {
  readonly source: DockerfileSource;
  readonly text: string;
  readonly segments: readonly Segment[];
  readonly range: LineRange;
}

export interface Mistake {
  /** Offset in the statement's text, and length. */
  readonly at?: number;
  readonly length?: number;
  /** The wrong word, and the valid ones, for a suggestion. */
  readonly word?: string;
  readonly candidates?: readonly string[];
  readonly hint?: string;
  readonly cause?: unknown;
}

/** An error at an offset of a statement. */
export function mistake(statement: Statement, message: string, details: Mistake = {}): ImagesError {
  const { at = 0, length = details.word?.length ?? firstWord(statement.text, at) } = details;
  return mistakeAt(statement.source, positionOf(statement, at), message, { ...details, length });
}

/** An error at a position of the file. */
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

/** The position in the file of a character of a statement. */
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

/** The line, and below it a caret for each affected character. Tabs are copied, so that the carets line up on every terminal. */
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
