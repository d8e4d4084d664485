// `images help [CMD]`, `images help errors`, `images help CODE`.
import type { CommandSpec, Run } from '../grammar/command.ts';
import { commandNamed, findCommand } from '../grammar/grammar.ts';
import { generalHelp, helpOf } from '../grammar/help.ts';

export const run: Run = async ({ args: [name], commands, context }) => {
  if (name === undefined) await context.out(generalHelp(commands));
  else await context.out(await helpAbout(name, commands));
  return 0;
};

/** A command's name counts before an error code. Errors: USAGE if it is neither. */
async function helpAbout(name: string, commands: readonly CommandSpec[]): Promise<string> {
  const command = commandNamed(name, commands);
  if (command) return helpOf(command);
  const { errorHelp, unknownCode } = await import('../grammar/error-reference.ts');
  const help = errorHelp(name);
  if (help !== undefined) return help;
  // Codes are written in capitals, commands are not.
  if (/^[A-Z][A-Z_]*$/.test(name)) throw unknownCode(name);
  return helpOf(findCommand(name, commands));
}
