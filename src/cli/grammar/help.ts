// The help as text, generated from the table of commands. Pure.
import { TRANSPORTS } from '../../transports/transports.ts';
import { ALL_TRANSPORTS, COMMON_OPTIONS, type CommandSpec } from './command.ts';
import type { OptionSpec } from './options.ts';

const WIDTH = 80;
/** Longer names get a line of their own. */
const WIDEST_NAME = 22;

export function generalHelp(commands: readonly CommandSpec[]): string {
  const shown = commands.filter((command) => !command.hidden);
  const groups = [...new Set(shown.map((command) => command.group))];
  const column = Math.max(...shown.map((command) => command.name.length)) + 2;
  const sections = groups.map((group) => {
    const lines = shown.filter((command) => command.group === group);
    const text = lines.map((command) => `  ${command.name.padEnd(column)}${wrap(command.summary, column + 2)}\n`);
    return `${group}\n${text.join('')}`;
  });
  return [
    'images CMD [--option[=value] …] [args …]\n',
    `${wrap('Container images for VM test clusters and air-gapped clusters: finds them, caches them, serves them.')}\n`,
    ...sections,
    `${wrap('`images help CMD` shows the options of a command. In names, `-` and `_` are the same.')}\n`,
  ].join('\n');
}

export function helpOf(command: CommandSpec): string {
  const options = shownOptions(command);
  const names = [...options.map(optionForm), ...command.arguments.map((argument) => argument.name)];
  const column = Math.max(...names.map((name) => name.length).filter((length) => length <= WIDEST_NAME));
  const indent = column + 4;
  const row = (name: string, help: string) =>
    `  ${name.padEnd(column)}${name.length > column ? `\n${' '.repeat(indent)}` : '  '}${wrap(help, indent)}\n`;
  return [
    `images ${synopsis(command)}\n`,
    `${command.summary}.\n`,
    ...detailsOf(command).map((paragraph) => `${wrap(paragraph)}\n`),
    ...(command.arguments.length > 0
      ? [`Arguments\n${command.arguments.map((argument) => row(argument.name, argument.help)).join('')}`]
      : []),
    `Options\n${options.map((option) => row(optionForm(option), option.help)).join('')}`,
    ...(command.status ? [`Exit status\n  ${command.status}\n`] : []),
    ...(command.examples
      ? [`Examples\n${command.examples.map((example) => `  # ${example.help}\n  ${example.command}\n`).join('')}`]
      : []),
    ...(command.aliases ? [`Also called ${command.aliases.join(', ')}.\n`] : []),
  ].join('\n');
}

/** The paragraphs of the details. The placeholder is replaced by the list of transports. */
export function detailsOf({ details = [] }: CommandSpec): readonly string[] {
  return details.map((paragraph) => paragraph.replace(ALL_TRANSPORTS, () => TRANSPORTS.map(transportHelp).join(', ')));
}

function transportHelp({ usage, help, openSink }: (typeof TRANSPORTS)[number]): string {
  return `${usage} (${help}${openSink ? '' : '; source only'})`;
}

/** The options in the help, the completion and the reference. */
export function shownOptions(command: CommandSpec): readonly OptionSpec[] {
  return [...command.options, ...COMMON_OPTIONS].filter((option) => !option.hidden);
}

/** `lreg_cache [--option[=value] …] IMAGE…`. */
export function synopsis(command: CommandSpec): string {
  const args = command.arguments.map((argument) => {
    const name = argument.many ? `${argument.name}…` : argument.name;
    return argument.required ? name : `[${name}]`;
  });
  return [command.name, ...(command.options.length > 0 ? ['[--option[=value] …]'] : []), ...args].join(' ');
}

export function optionForm(option: OptionSpec): string {
  const short = option.short ? `-${option.short}, ` : '';
  const value = option.value ? `=${option.value}` : '';
  return `${short}--${option.name}${option.valueOptional ? `[${value}]` : value}`;
}

/** Wraps text into lines; all but the first are indented. */
export function wrap(text: string, indent = 0): string {
  const width = WIDTH - indent;
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else line = line ? `${line} ${word}` : word;
  }
  return [...lines, line].join(`\n${' '.repeat(indent)}`);
}
