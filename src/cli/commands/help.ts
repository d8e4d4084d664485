// `images help [CMD]`.
import type { Run } from '../grammar/command.ts';
import { findCommand } from '../grammar/grammar.ts';
import { generalHelp, helpOf } from '../grammar/help.ts';

export const run: Run = async ({ args: [name], commands, context }) => {
  await context.out(name === undefined ? generalHelp(commands) : helpOf(findCommand(name, commands)));
  return 0;
};
