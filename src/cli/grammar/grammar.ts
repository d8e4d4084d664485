// The grammar: `images CMD [--option[=value] …] [args …]`, options anywhere, `_` and `-` alike in names. Relies on node:util's parseArgs for the tokens.
import { parseArgs } from 'node:util';
import { ImagesError } from '../../oci/errors.ts';
import { nearest } from '../../oci/nearest.ts';
import { COMMON_OPTIONS, type CommandSpec } from './command.ts';
import { type OptionSpec, type Options, readOptions } from './options.ts';

export interface Parsed {
  readonly args: readonly string[];
  readonly options: Options;
}

/** Errors: USAGE. */
export function findCommand(name: string, commands: readonly CommandSpec[]): CommandSpec {
  const found = commandNamed(name, commands);
  if (found) return found;
  const names = commands.filter((command) => !command.hidden).map((command) => command.name);
  const meant = nearest(name.replaceAll('-', '_'), names);
  throw new ImagesError('USAGE', `unknown command [${name}]`, {
    hint: meant ? `Did you mean \`images ${meant}\`?` : '`images help` lists the commands.',
  });
}

/** Finds a command by its name or an alias. */
export function commandNamed(name: string, commands: readonly CommandSpec[]): CommandSpec | undefined {
  const wanted = name.replaceAll('-', '_');
  return commands.find((command) => command.name === wanted || command.aliases?.includes(wanted));
}

/** Errors: USAGE (unknown option; a missing or an unexpected value or argument). */
export function parseCommandLine(command: CommandSpec, argv: readonly string[]): Parsed {
  const specs = specsOf(command);
  const values = new Map<string, (string | true)[]>();
  const args: string[] = [];
  for (const token of tokensOf(specs, argv)) {
    if (token.kind === 'positional') args.push(token.value);
    if (token.kind !== 'option') continue;
    const spec = specs.find((candidate) => candidate.name === token.name);
    if (!spec) throw unknownOption(command, token.rawName, specs);
    const value = optionValue(command, spec, writtenValue(token));
    if (value === false) values.delete(spec.name);
    else values.set(spec.name, spec.many ? [...(values.get(spec.name) ?? []), value] : [value]);
  }
  const options = readOptions(specs, values);
  if (!options.flag('help')) checkArguments(command, args);
  return { args, options };
}

/** The value of an option, `true` for a switch, even if the rest of the line is invalid: options like --json and --verbose also apply to the error about that line. */
export function givenValue(
  name: string,
  command: CommandSpec | undefined,
  argv: readonly string[],
): string | true | undefined {
  const known = specsOf(command);
  // If the command does not have the option, or there is no command, it is parsed as a switch.
  const specs = known.some((spec) => spec.name === name) ? known : [...known, { name, help: '' }];
  const token = tokensOf(specs, argv).findLast((each) => each.kind === 'option' && each.name === name);
  if (token?.kind !== 'option' || NO.test(token.value ?? '')) return undefined;
  return token.value === undefined || YES.test(token.value) ? true : token.value;
}

function specsOf(command: CommandSpec | undefined): readonly OptionSpec[] {
  return [...(command?.options ?? []), ...COMMON_OPTIONS];
}

function tokensOf(specs: readonly OptionSpec[], argv: readonly string[]) {
  // Words after `--` are not options.
  const end = argv.indexOf('--');
  const words = end < 0 ? argv.map(withDashes) : [...argv.slice(0, end).map(withDashes), ...argv.slice(end)];
  const options = Object.fromEntries(specs.map((spec) => [spec.name, parserOption(spec)]));
  return parseArgs({ args: words, options, strict: false, tokens: true }).tokens;
}

/** Normalises an option's name: `--dry_run=x` → `--dry-run=x`. */
function withDashes(word: string): string {
  if (!/^--[a-z]/i.test(word)) return word;
  const equals = word.indexOf('=');
  const name = equals < 0 ? word : word.slice(0, equals);
  return name.replaceAll('_', '-') + word.slice(name.length);
}

function parserOption(spec: OptionSpec): { type: 'string' | 'boolean'; short?: string } {
  return { type: spec.value && !spec.valueOptional ? 'string' : 'boolean', ...(spec.short && { short: spec.short }) };
}

const NO = /^(no|false|0)$/i;
const YES = /^(yes|true|1)$/i;

/** `-u=ME` is `-u ME`, as docker and podman have it; the parser takes the `=` for a part of the value. */
function writtenValue({
  rawName,
  value,
}: {
  readonly rawName: string;
  readonly value?: string | undefined;
}): string | undefined {
  return rawName.startsWith('--') ? value : value?.replace(/^=/, '');
}

/** Scripts written for images.sh also write `--force=yes`. */
function optionValue(command: CommandSpec, spec: OptionSpec, value: string | undefined): string | boolean {
  if (spec.value && !(spec.valueOptional && (value === undefined || YES.test(value) || NO.test(value)))) {
    if (value !== undefined && value !== '') return value;
    throw usage(command, `--${spec.name} needs a value [${spec.value}]`);
  }
  if (value === undefined || YES.test(value)) return true;
  if (NO.test(value)) return false;
  throw usage(command, `--${spec.name} takes no value [${value}]`);
}

function checkArguments(command: CommandSpec, args: readonly string[]): void {
  const required = command.arguments.filter((argument) => argument.required);
  const lacking = required[args.length];
  if (lacking) throw usage(command, `${command.name} needs an argument [${lacking.name}]`);
  const tooMany = command.arguments.some((argument) => argument.many) ? undefined : args[command.arguments.length];
  if (tooMany !== undefined) {
    throw usage(command, `${command.name} takes ${numberOf(command.arguments.length)} [${tooMany}]`);
  }
}

function numberOf(count: number): string {
  return count === 0 ? 'no arguments' : count === 1 ? 'one argument' : `${count} arguments`;
}

function unknownOption(command: CommandSpec, rawName: string, specs: readonly OptionSpec[]): ImagesError {
  const meant = nearest(
    rawName.replace(/^--?/, ''),
    specs.map((spec) => spec.name),
  );
  return usage(command, `unknown option of ${command.name} [${rawName}]`, meant && `Did you mean \`--${meant}\`?`);
}

function usage(command: CommandSpec, message: string, hint?: string): ImagesError {
  return new ImagesError('USAGE', message, { hint: hint || `\`images help ${command.name}\` shows how to use it.` });
}
