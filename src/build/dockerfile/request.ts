// The input of the instruction parsers.
import { type FlagKind, type Flags, readFlags } from './flags.ts';
import type { Heredoc } from './heredoc.ts';
import type { Instruction, Word, WrittenInstruction } from './instructions.ts';
import type { Segment, Statement } from './source.ts';

export interface Request {
  readonly written: WrittenInstruction;
  readonly statement: Statement;
  readonly flags: readonly Word[];
  readonly rest: Word;
  readonly heredocs: readonly Heredoc[];
  readonly escapeToken: string;
  warn(rule: string, message: string): void;
  /** Parses the instruction inside this one (ONBUILD). */
  parseInner(inner: { readonly text: string; readonly segments: readonly Segment[] }): Instruction;
}

export function flagsOf({ statement, flags }: Request, kinds: Readonly<Record<string, FlagKind>>): Flags {
  return readFlags(statement, flags, kinds);
}
