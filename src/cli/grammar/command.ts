// The description of a command: data from which the grammar, the help, the completion and the command reference are made, and a lazily loaded `run`.
import type { Context } from '../process/context.ts';
import { DEBUG_TOPICS } from '../process/debug-topics.ts';
import type { Completion, OptionSpec, Options } from './options.ts';

export interface ArgumentSpec {
  /** As the help shows it: `OVL|DIR|FILE`. */
  readonly name: string;
  readonly help: string;
  readonly required?: boolean;
  /** May be repeated. */
  readonly many?: boolean;
  /** The kind of values that completion offers. */
  readonly complete?: Completion;
}

export interface Example {
  readonly command: string;
  readonly help: string;
}

export interface CommandSpec {
  /** Written with `_`; users may write `-` instead. */
  readonly name: string;
  /** Other names, used by scripts. */
  readonly aliases?: readonly string[];
  readonly group: string;
  /** One line, no full stop. */
  readonly summary: string;
  /** Paragraphs. */
  readonly details?: readonly string[];
  readonly arguments: readonly ArgumentSpec[];
  readonly options: readonly OptionSpec[];
  /** The meaning of the exit status, if it is more than success or failure. */
  readonly status?: string;
  readonly examples?: readonly Example[];
  /** Omitted from the help and the reference. */
  readonly hidden?: boolean;
  readonly load: () => Promise<CommandModule>;
}

export interface CommandModule {
  readonly run: Run;
}

export interface Invocation {
  readonly args: readonly string[];
  readonly options: Options;
  readonly context: Context;
  /** The table of commands, for `help`, completion and the like. */
  readonly commands: readonly CommandSpec[];
}

/** Returns the exit status: 0 done or yes, 1 failed or no. */
export type Run = (invocation: Invocation) => Promise<number>;

/** A placeholder in `details` for the list of transports, which is loaded only to be shown. */
export const ALL_TRANSPORTS = '{transports}';

/** Options that every command takes. */
export const COMMON_OPTIONS: readonly OptionSpec[] = [
  { name: 'help', short: 'h', help: 'Show this help' },
  { name: 'verbose', help: 'Show where an error comes from' },
  {
    name: 'debug',
    value: `${DEBUG_TOPICS.join('|')}[,…]`,
    valueOptional: true,
    help: 'Print on stderr what is asked of whom, and why (default all topics; also $IMAGES_DEBUG)',
  },
];
