// The arguments of COPY and ADD, and errors in them.
import { isImagesError } from '../../oci/errors.ts';
import { compilePatterns, PatternError, type Patterns } from '../context/patterns.ts';
import type { Word } from '../dockerfile/instructions.ts';
import { mistake } from '../dockerfile/source.ts';
import { type ChangeMode, parseMode } from '../files/chmod.ts';
import type { CopyRules } from '../files/copy-files.ts';
import { hasNames, type Owner, ownerOf } from '../files/owners.ts';
import type { createTarget } from '../files/target.ts';
import type { SourceArchive, TreeSource } from '../files/tree-source.ts';
import type { createCopyPlan } from '../files/write-copies.ts';
import type { Of, Step } from './build.ts';
import { accountsOf } from './state.ts';
import { withPosition } from './with-position.ts';

type FilesInstruction = Of<'copy' | 'add'>;

/** The arguments, with variables expanded. */
export interface Said {
  readonly instruction: FilesInstruction;
  readonly destination: string;
  readonly chown: string | undefined;
  readonly chmod: string | undefined;
  readonly exclude: readonly string[];
  readonly sources: readonly { readonly word: Word; readonly text: string }[];
  readonly files: readonly { readonly name: string; readonly content: string }[];
}

/** One source, in the instruction's order. */
export type SourceAction =
  | { readonly kind: 'copy'; readonly id: unknown; copy(rules: CopyRules, plan: PlanParts): Promise<void> | void }
  | { readonly kind: 'unpack'; readonly id: unknown; readonly file: SourceArchive };

export interface PlanParts {
  readonly target: ReturnType<typeof createTarget>;
  readonly onContent: ReturnType<typeof createCopyPlan>['onContent'];
}

export interface SourceOrigin {
  /** Represents the source in keys; `undefined` if its files decide. */
  readonly id: unknown;
  readonly open: () => Promise<TreeSource>;
}

/** Adds the position in the Dockerfile to errors. */
export async function placing<T>({ instruction, sources }: Said, act: () => Promise<T>, word?: Word): Promise<T> {
  try {
    return await act();
  } catch (error) {
    const { at, text } = word ?? sources[0]?.word ?? instruction.destination;
    if (error instanceof PatternError) {
      throw mistake(instruction.statement, error.message, {
        at,
        length: text.length,
        hint: 'A backslash makes [ a character.',
      });
    }
    if (!isImagesError(error, 'PATH_UNKNOWN', 'TAR_INVALID')) throw error;
    throw withPosition(instruction.statement, { at, text }, error);
  }
}

export async function ownerIn(step: Step, { chown, instruction }: Said): Promise<Owner> {
  const text = chown ?? '0:0';
  const accounts = hasNames(text) ? await accountsOf(step.state.layers, step.build.call) : { users: [], groups: [] };
  try {
    return ownerOf(text, accounts);
  } catch (error) {
    if (!isImagesError(error, 'PATH_UNKNOWN')) throw error;
    throw mistake(instruction.statement, error.message, flagPosition(instruction, '--chown', error.hint));
  }
}

export function modeOf({ chmod, instruction }: Said): ChangeMode | undefined {
  if (chmod === undefined) return undefined;
  const mode = parseMode(chmod);
  if (mode) return mode;
  const hint = 'Write an octal number up to 07777, or u=rwX,go=rX.';
  throw mistake(instruction.statement, `not a mode [${chmod}]`, flagPosition(instruction, '--chmod', hint));
}

export function excludeOf({ exclude, instruction }: Said): Patterns | undefined {
  if (exclude.length === 0) return undefined;
  try {
    return compilePatterns(exclude);
  } catch (error) {
    if (!(error instanceof PatternError)) throw error;
    throw mistake(instruction.statement, error.message, flagPosition(instruction, '--exclude'));
  }
}

function flagPosition({ statement }: FilesInstruction, flag: string, hint?: string): { at: number; hint?: string } {
  return { at: Math.max(statement.text.indexOf(flag), 0), ...(hint !== undefined && { hint }) };
}

export function parentsOf(instruction: FilesInstruction): boolean {
  return instruction.kind === 'copy' && instruction.parents;
}
