// Splits the text of a Dockerfile into statements: reads directives, omits comments, joins continued lines, and takes heredocs from the lines that follow.
// BuildKit's parser is the reference (frontend/dockerfile/parser of moby/buildkit).
import { withoutEnd } from '../../io/text/trim-end.ts';
import { type Directive, directiveParser } from './directives.ts';
import { type Heredoc, type HeredocWord, heredocWords } from './heredoc.ts';
import { type DockerfileSource, mistakeAt, type Segment, type Statement } from './source.ts';

export interface RawStatement extends Statement {
  readonly heredocs: readonly Heredoc[];
  /** The comment lines directly above, without their `#`. */
  readonly comments: readonly string[];
}

export interface BuildWarning {
  readonly line: number;
  readonly rule: string;
  readonly message: string;
}

export interface Statements {
  readonly source: DockerfileSource;
  readonly escapeToken: Escape;
  readonly directives: readonly Directive[];
  readonly statements: readonly RawStatement[];
  readonly warnings: readonly BuildWarning[];
}

export type Escape = '\\' | '`';

/** Errors: DOCKERFILE_INVALID. */
export function readStatements(name: string, text: string): Statements {
  const lines = linesOf(text);
  const source: DockerfileSource = { name, lines };
  const parser = directiveParser(source);
  const reading: Reading = { source, lines, at: 0, warnings: [], comments: [] };
  const statements: RawStatement[] = [];
  while (reading.at < lines.length) {
    const statement = readStatement(reading, parser);
    if (statement) statements.push(statement);
  }
  if (statements.length === 0) {
    throw mistakeAt(source, { line: Math.max(lines.length, 1), column: 1 }, 'no instructions in the file', {
      hint: 'A Dockerfile begins with FROM.',
    });
  }
  return { source, escapeToken: parser.escapeToken, directives: parser.found, statements, warnings: reading.warnings };
}

interface Reading {
  readonly source: DockerfileSource;
  readonly lines: readonly string[];
  /** The index of the next line, 0-based. */
  at: number;
  readonly warnings: BuildWarning[];
  comments: string[];
}

function readStatement(
  reading: Reading,
  parser: { readonly escapeToken: Escape; line(text: string, number: number): boolean },
): RawStatement | undefined {
  const { lines } = reading;
  const first = reading.at + 1;
  const line = lines[reading.at++] as string;
  const indent = line.length - line.trimStart().length;
  const isDirective = parser.line(line.trimStart(), first);
  if (isComment(line)) {
    if (!isDirective) noteComment(reading, line);
    return undefined;
  }
  if (line.trim() === '') return undefined;
  const text: string[] = [];
  const segments: Segment[] = [];
  let length = 0;
  const add = (piece: string, number: number, column: number) => {
    segments.push({ at: length, line: number, column });
    text.push(piece);
    length += piece.length;
  };
  let { piece, isContinued } = continued(line.slice(indent), parser.escapeToken);
  add(piece, first, indent + 1);
  while (isContinued && reading.at < lines.length) {
    const number = reading.at + 1;
    const next = lines[reading.at++] as string;
    if (isComment(next)) continue;
    if (next.trim() === '') {
      reading.warnings.push({
        line: number,
        rule: 'NoEmptyContinuation',
        message: 'an empty line in a continued instruction',
      });
      continue;
    }
    ({ piece, isContinued } = continued(next, parser.escapeToken));
    add(piece, number, 1);
  }
  const joined = text.join('');
  const { comments } = reading;
  reading.comments = [];
  if (joined.trim() === '') return undefined;
  const statement = { source: reading.source, text: joined, segments, range: { first, last: reading.at } };
  const heredocs = heredocWords(statement).map((word) => readHeredoc(reading, statement, word));
  return { ...statement, range: { first, last: reading.at }, heredocs, comments };
}

/** Reads up to the line that equals its name. */
function readHeredoc(reading: Reading, statement: Statement, word: HeredocWord): Heredoc {
  const content: string[] = [];
  while (reading.at < reading.lines.length) {
    const line = reading.lines[reading.at++] as string;
    if (withoutEnd(word.stripsTabs ? line.replace(/^\t+/, '') : line, '\r') === word.name) {
      return { ...word, content: content.join('') };
    }
    const isLast = reading.at === reading.lines.length;
    content.push(isLast ? line : `${line}\n`);
  }
  const { line, column } = statement.segments[0] as Segment;
  throw mistakeAt(reading.source, { line, column: column + word.at }, `the heredoc has no end [${word.name}]`, {
    length: word.length,
    hint: `A line that is nothing but ${word.name} ends it.`,
  });
}

function noteComment(reading: Reading, line: string): void {
  const comment = line.trim().slice(1).trim();
  if (comment === '') reading.comments = [];
  else reading.comments.push(comment);
}

/** Whether the line ends with the escape character (ignoring blanks after it) that is not itself escaped; then the next line continues it. */
function continued(line: string, escapeToken: Escape): { piece: string; isContinued: boolean } {
  const end = withoutEnd(line, ' \t\r');
  const isContinued = end.endsWith(escapeToken) && !end.endsWith(escapeToken + escapeToken);
  return isContinued ? { piece: end.slice(0, -1), isContinued } : { piece: withoutEnd(line, '\r'), isContinued };
}

function isComment(line: string): boolean {
  return line.trimStart().startsWith('#');
}

function linesOf(text: string): readonly string[] {
  const lines = text.replace(/^\ufeff/, '').split('\n');
  if (lines.at(-1) === '') lines.pop();
  return lines;
}
