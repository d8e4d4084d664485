// What a command is: data that the grammar, the help, the completion and the command reference are all made from, and a lazily loaded `run`.
import type { Context } from '../process/context.ts';
import { DEBUG_TOPICS } from '../process/debug-topics.ts';
import type { Completion, OptionSpec, Options } from './options.ts';

export interface ArgumentSpec {
  /** As the help shows it: `OVL|DIR|FILE`. */
  readonly name: string;
  readonly help: string;
  readonly required?: boolean;
  /** Any number of them. */
  readonly many?: boolean;
  /** What completion offers. */
  readonly complete?: Completion;
}

export interface Example {
  readonly command: string;
  readonly help: string;
}

export interface CommandSpec {
  /** Written with `_`; `-` is taken in its place. */
  readonly name: string;
  /** Other names that scripts use. */
  readonly aliases?: readonly string[];
  readonly group: string;
  /** One line, no full stop. */
  readonly summary: string;
  /** Paragraphs. */
  readonly details?: readonly string[];
  readonly arguments: readonly ArgumentSpec[];
  readonly options: readonly OptionSpec[];
  /** What the exit status means where it is more than done or failed. */
  readonly status?: string;
  readonly examples?: readonly Example[];
  /** Left out of the help and the reference. */
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
  /** The table, for commands about commands. */
  readonly commands: readonly CommandSpec[];
}

/** Returns the exit status: 0 done or yes, 1 failed or no. */
export type Run = (invocation: Invocation) => Promise<number>;

/** Stands in `details` for the list of transports, which is loaded where it is shown alone. */
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
