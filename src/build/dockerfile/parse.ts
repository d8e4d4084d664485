// Parses a Dockerfile into typed instructions (Dockerfile reference; BuildKit is the reference where that is silent). Pure: variables are expanded on evaluation.
import type { Directive } from './directives.ts';
import { type Instruction, KEYWORDS } from './instructions.ts';
import { parsers } from './parse-instruction.ts';
import type { Request } from './request.ts';
import { type DockerfileSource, mistake, type Statement } from './source.ts';
import { splitStatement } from './split.ts';
import { type BuildWarning, type Escape, type RawStatement, readStatements } from './statements.ts';

export interface Dockerfile {
  readonly source: DockerfileSource;
  readonly escapeToken: Escape;
  readonly directives: readonly Directive[];
  readonly instructions: readonly Instruction[];
  readonly warnings: readonly BuildWarning[];
}

/** Parses a Dockerfile. `name` is the file's name in messages. Errors: DOCKERFILE_INVALID, with its position. */
export function parseDockerfile(name: string, text: string): Dockerfile {
  const { source, escapeToken, directives, statements, warnings } = readStatements(name, text);
  const found: BuildWarning[] = [...warnings];
  const instructions = statements.map((statement) => parseStatement(statement, escapeToken, found));
  return { source, escapeToken, directives, instructions, warnings: found.sort((a, b) => a.line - b.line) };
}

/** Parses one instruction, as an image's config stores it for ONBUILD. Errors: DOCKERFILE_INVALID. */
export function parseTrigger(name: string, text: string): Instruction {
  const { statements, escapeToken } = readStatements(name, text);
  const [statement, ...others] = statements;
  if (!statement || others.length > 0) {
    throw mistake(others[0] ?? (statement as Statement), 'an ONBUILD trigger is one instruction');
  }
  return parseStatement(statement, escapeToken, []);
}

function parseStatement(statement: RawStatement, escapeToken: Escape, warnings: BuildWarning[]): Instruction {
  const { keyword, flags, rest } = splitStatement(statement, escapeToken);
  const name = keyword.toUpperCase();
  const parse = Object.hasOwn(parsers, name) ? parsers[name] : undefined;
  if (!parse) {
    const at = statement.text.indexOf(keyword);
    throw mistake(statement, `unknown instruction [${keyword}]`, { at, word: keyword, candidates: KEYWORDS });
  }
  const { range, comments, heredocs } = statement;
  const request: Request = {
    written: { name, keyword, range, statement, comments },
    statement,
    flags,
    rest,
    heredocs,
    escapeToken,
    warn: (rule, message) => warnings.push({ line: range.first, rule, message }),
    parseInner: (inner) => parseStatement({ ...statement, ...inner }, escapeToken, warnings),
  };
  return parse(request);
}
