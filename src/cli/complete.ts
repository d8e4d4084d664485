// What can stand at the end of a command line: worked out from the table of commands, for every shell alike. Pure, but for what it is handed.
import type { CommandSpec } from './command.ts';
import { commandNamed } from './grammar.ts';
import { shownOptions } from './help.ts';
import type { Completion, OptionSpec } from './options.ts';

export interface Candidates {
  readonly words: readonly string[];
  /** The shell's own completion of paths is wanted beside the words. */
  readonly paths?: 'files' | 'directories';
}

/** Looks up what is not in the table: overlays, images. */
export type LookUp = (what: Completion) => Promise<readonly string[]>;

/** `words` is the command line after `images`; the last one is what is being typed. */
export async function complete(
  words: readonly string[],
  commands: readonly CommandSpec[],
  lookUp: LookUp,
): Promise<Candidates> {
  const typed = words.at(-1) ?? '';
  const [name, ...rest] = words.slice(0, -1).filter((word, at) => at > 0 || !word.startsWith('-'));
  const shown = commands.filter((command) => !command.hidden);
  if (name === undefined) {
    return startingWith(typed, typed.startsWith('-') ? ['--help', '--version'] : shown.map((command) => command.name));
  }
  const command = commandNamed(name, commands);
  if (!command) return { words: [] };
  const valued = valuedOption(command, rest.at(-1), typed);
  if (valued) return await completeValue(valued, lookUp);
  if (typed.startsWith('-')) return startingWith(typed, shownOptions(command).map(optionWord));
  return await completeArgument(command, typed, { shown, lookUp });
}

interface ValuedOption {
  readonly option: OptionSpec;
  /** What stands before the value in the word: `--data=` or nothing. */
  readonly prefix: string;
  readonly typed: string;
}

function valuedOption(command: CommandSpec, before: string | undefined, typed: string): ValuedOption | undefined {
  const find = (word: string | undefined) =>
    command.options.find((option) => option.value && `--${option.name}` === word?.replaceAll('_', '-'));
  const equals = typed.indexOf('=');
  const joined = equals < 0 ? undefined : find(typed.slice(0, equals));
  if (joined) return { option: joined, prefix: typed.slice(0, equals + 1), typed: typed.slice(equals + 1) };
  const separate = find(before);
  return separate && { option: separate, prefix: '', typed };
}

async function completeValue({ option, prefix, typed }: ValuedOption, lookUp: LookUp): Promise<Candidates> {
  const { complete: kind } = option;
  if (kind === 'files' || kind === 'directories') return { words: [], paths: kind };
  const words = kind ? await lookUp(kind) : [];
  return startingWith(
    prefix + typed,
    words.map((word) => prefix + word),
  );
}

async function completeArgument(
  command: CommandSpec,
  typed: string,
  { shown, lookUp }: { readonly shown: readonly CommandSpec[]; readonly lookUp: LookUp },
): Promise<Candidates> {
  const kind = command.arguments[0]?.complete;
  if (kind === 'commands')
    return startingWith(
      typed,
      shown.map((each) => each.name),
    );
  if (kind === 'files' || kind === 'directories') return { words: [], paths: kind };
  // `bash|zsh|fish`: the words themselves.
  const listed = command.arguments[0]?.name ?? '';
  if (kind === undefined) return startingWith(typed, /^[a-z]+(?:\|[a-z]+)+$/.test(listed) ? listed.split('|') : []);
  const { words } = startingWith(typed, await lookUp(kind));
  return kind === 'overlays' ? { words, paths: 'files' } : { words };
}

function optionWord(option: OptionSpec): string {
  return option.value ? `--${option.name}=` : `--${option.name}`;
}

/** `-` and `_` are alike while typing, too. */
function startingWith(typed: string, words: readonly string[]): Candidates {
  const alike = (word: string) => word.replaceAll('-', '_');
  return { words: words.filter((word) => alike(word).startsWith(alike(typed))) };
}
