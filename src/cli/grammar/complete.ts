// Completes a command line from the table of commands, for all shells. Pure, except for the given `lookUp`.
import { prefixOf, TRANSPORTS } from '../../transports/transports.ts';
import type { ArgumentSpec, CommandSpec } from './command.ts';
import { commandNamed } from './grammar.ts';
import { shownOptions } from './help.ts';
import type { Completion, OptionSpec } from './options.ts';

export interface Suggestion {
  /** Not finished if it ends with `=`, `/`, `:` or `,`. */
  readonly word: string;
  /** A description, for shells that show it. */
  readonly help?: string;
}

export interface Candidates {
  readonly words: readonly Suggestion[];
  /** If present, the shell should also complete paths, for the part of the word after `prefix`. */
  readonly paths?: { readonly kind: 'files' | 'directories'; readonly prefix: string };
}

export interface Sought {
  readonly what: Completion;
  readonly typed: string;
  /** The preceding arguments, without options. For `image-paths` the first one is the image. */
  readonly args: readonly string[];
}

/** Looks up values that are not in the table: overlays, images, paths in an image. */
export type LookUp = (sought: Sought) => Promise<readonly string[]>;

const LOCATIONS: readonly (Suggestion & { readonly paths?: 'files' | 'directories' })[] = TRANSPORTS.map(
  (transport) => ({ ...transport, word: prefixOf(transport) }),
);
/** Common platforms of images. */
const PLATFORMS = ['amd64', 'arm64', 'arm/v7', 'arm/v6', '386', 'ppc64le', 'riscv64', 's390x'].map(
  (name) => `linux/${name}`,
);
const SHORT_OF = 'library/';

/** `words` is the command line after `images`; the last word is incomplete. */
export async function complete(
  words: readonly string[],
  commands: readonly CommandSpec[],
  lookUp: LookUp,
): Promise<Candidates> {
  const typed = words.at(-1) ?? '';
  const [name, ...rest] = words.slice(0, -1).filter((word, at) => at > 0 || !word.startsWith('-'));
  const shown = commands.filter((command) => !command.hidden).map(({ name: word, summary: help }) => ({ word, help }));
  if (name === undefined) {
    return startingWith(typed, typed.startsWith('-') ? [{ word: '--help' }, { word: '--version' }] : shown);
  }
  const command = commandNamed(name, commands);
  if (!command) return { words: [] };
  const valued = valuedOption(command, rest.at(-1), typed);
  const args = argumentsOf(command, rest);
  if (valued) return await completeValue(valued, args, lookUp);
  if (typed.startsWith('-')) return startingWith(typed, shownOptions(command).map(optionWord));
  const argument = command.arguments[args.length] ?? command.arguments.findLast(({ many }) => many);
  return argument ? await completeArgument(argument, { typed, args }, { shown, lookUp }) : { words: [] };
}

/** The words that are neither an option nor the value of one. */
function argumentsOf(command: CommandSpec, rest: readonly string[]): readonly string[] {
  return rest.filter((word, at) => !word.startsWith('-') && !takesNextWord(command, rest[at - 1]));
}

interface ValuedOption {
  readonly option: OptionSpec;
  /** The part of the word before the value: `--data=` or nothing. */
  readonly prefix: string;
  readonly typed: string;
}

function valuedOption(command: CommandSpec, before: string | undefined, typed: string): ValuedOption | undefined {
  const equals = typed.indexOf('=');
  const joined = equals < 0 ? undefined : findValued(command, typed.slice(0, equals));
  if (joined) return { option: joined, prefix: typed.slice(0, equals + 1), typed: typed.slice(equals + 1) };
  const separate = takesNextWord(command, before);
  return separate && { option: separate, prefix: '', typed };
}

/** The option, if the next word is its value. */
function takesNextWord(command: CommandSpec, word: string | undefined): OptionSpec | undefined {
  const option = findValued(command, word);
  return option?.valueOptional ? undefined : option;
}

function findValued(command: CommandSpec, word: string | undefined): OptionSpec | undefined {
  const name = word?.replaceAll('_', '-');
  return shownOptions(command).find(
    ({ name: long, short, value }) => value && (name === `--${long}` || (short && name === `-${short}`)),
  );
}

async function completeValue(
  { option, prefix, typed }: ValuedOption,
  args: readonly string[],
  lookUp: LookUp,
): Promise<Candidates> {
  const { words, paths } = await candidates(option, option.value ?? '', { typed, args, lookUp });
  const prefixed = words.map((candidate) => ({ ...candidate, word: prefix + candidate.word }));
  return { words: prefixed, ...(paths && { paths: { ...paths, prefix: prefix + paths.prefix } }) };
}

interface Typing {
  readonly typed: string;
  readonly args: readonly string[];
}

async function completeArgument(
  argument: ArgumentSpec,
  typing: Typing,
  { shown, lookUp }: { readonly shown: readonly Suggestion[]; readonly lookUp: LookUp },
): Promise<Candidates> {
  if (argument.complete === 'commands') return startingWith(typing.typed, shown);
  return await candidates(argument, argument.name, { ...typing, lookUp });
}

/** Candidates for a value or an argument. `form` is its form in the help: `bash|zsh|fish`, `gzip|zstd[:LEVEL]`. */
async function candidates(
  { complete: what, values }: { readonly complete?: Completion; readonly values?: readonly string[] },
  form: string,
  { typed, args, lookUp }: Typing & { readonly lookUp: LookUp },
): Promise<Candidates> {
  if (what === 'files' || what === 'directories') return { words: [], paths: { kind: what, prefix: '' } };
  if (what === undefined) return startingWith(typed, after(typed, form, values ?? listedIn(form)));
  if (what === 'platforms') return startingWith(typed, after(typed, form, PLATFORMS, 'all'));
  if (what === 'locations') {
    const transport = LOCATIONS.find(({ word }) => typed.startsWith(word));
    if (transport?.paths) return { words: [], paths: { kind: transport.paths, prefix: transport.word } };
    if (transport) return { words: [] };
  }
  const found = await lookUp({ what, typed, args });
  const words = (what === 'images' || what === 'locations' ? shortNames(typed, found) : found).map((word) => ({
    word,
  }));
  const offered = startingWith(typed, what === 'locations' ? [...words, ...LOCATIONS] : words);
  return what === 'overlays' ? { ...offered, paths: { kind: 'files', prefix: '' } } : offered;
}

/** The words of a form that lists them; else empty. */
function listedIn(form: string): readonly string[] {
  const [, list] = /^([a-z0-9-]+(?:\|[a-z0-9-]+)+)(?:\[.*\])?$/.exec(form) ?? [];
  return list?.split('|') ?? [];
}

/** Candidates for the next entry, if the form takes a list. `all` stands for the whole list. */
function after(typed: string, form: string, names: readonly string[], all?: string): readonly Suggestion[] {
  const isList = form.includes('…');
  const before = isList ? typed.slice(0, typed.lastIndexOf(',') + 1) : '';
  const chosen = before.split(',');
  const words = names.filter((name) => !chosen.includes(name)).map((name) => before + name);
  return [...words, ...(isList && before === '' && all !== undefined ? [all] : [])].map((word) => ({ word }));
}

/** Offers `alpine` for `library/alpine`, unless the user types the long name. */
function shortNames(typed: string, names: readonly string[]): readonly string[] {
  if (typed.startsWith(SHORT_OF.slice(0, Math.max(1, typed.length))) && typed !== '') return names;
  return names.map((name) => (name.startsWith(SHORT_OF) ? name.slice(SHORT_OF.length) : name));
}

function optionWord({ name, value, valueOptional, help }: OptionSpec): Suggestion {
  return { word: value && !valueOptional ? `--${name}=` : `--${name}`, help };
}

/** Treats `-` and `_` alike. */
function startingWith(typed: string, words: readonly Suggestion[]): Candidates {
  const alike = (word: string) => word.replaceAll('-', '_');
  const found = words.filter(({ word }) => alike(word).startsWith(alike(typed)));
  return { words: found.map(({ word, help }) => ({ word, ...(help !== undefined && { help }) })) };
}
