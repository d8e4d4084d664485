// `images help [CMD]`, `images help errors`, `images help CODE`.
import type { Run } from '../grammar/command.ts';
import { commandNamed, findCommand } from '../grammar/grammar.ts';
import { generalHelp, helpOf } from '../grammar/help.ts';

export const run: Run = async ({ args: [name], commands, context }) => {
  if (name === undefined) await context.out(generalHelp(commands));
  else
    await context.out(
      (commandNamed(name, commands) ? undefined : await helpOfCode(name)) ?? helpOf(findCommand(name, commands)),
    );
  return 0;
};

async function helpOfCode(name: string): Promise<string | undefined> {
  const { errorHelp } = await import('../grammar/error-reference.ts');
  return errorHelp(name);
}
