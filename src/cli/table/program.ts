// The commands of the program itself.
import type { CommandSpec } from '../grammar/command.ts';
import { JSON_OUTPUT } from '../grammar/common-options.ts';

const PROGRAM = 'The program';

export const PROGRAM_COMMANDS: readonly CommandSpec[] = [
  {
    name: 'completion',
    group: PROGRAM,
    summary: 'Print the completion script of a shell',
    arguments: [{ name: 'bash|zsh|fish', required: true, help: 'The shell' }],
    options: [],
    examples: [{ command: 'eval "$(images completion bash)"', help: 'In ~/.bashrc' }],
    load: () => import('../commands/completion.ts'),
  },
  {
    name: 'help',
    group: PROGRAM,
    summary: 'Show the help, or that of a command',
    arguments: [
      {
        name: 'CMD|errors|CODE',
        help: 'A command; `errors`: the codes of errors, with what causes and mends them; one of these codes',
        complete: 'commands',
      },
    ],
    options: [],
    load: () => import('../commands/help.ts'),
  },
  {
    name: 'version',
    group: PROGRAM,
    summary: 'Print the version',
    arguments: [],
    options: [JSON_OUTPUT],
    load: () => import('../commands/version.ts'),
  },
  {
    name: '__complete',
    group: PROGRAM,
    summary: 'Print what can stand at the end of a command line',
    arguments: [{ name: 'WORD', many: true, help: 'The command line so far' }],
    options: [],
    hidden: true,
    load: () => import('../commands/complete.ts'),
  },
];
