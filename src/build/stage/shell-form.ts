// The arguments of CMD, ENTRYPOINT and RUN: in the shell form, they begin with the stage's shell.
import type { CommandLine } from '../dockerfile/instructions.ts';
import type { Config } from './image-config.ts';

export function commandOf(command: CommandLine, { inner }: Config): readonly string[] {
  if (command.form === 'exec') return command.args;
  return [...shellOf(inner), command.text];
}

export function shellOf({ Shell }: Config['inner']): readonly string[] {
  return Shell && Shell.length > 0 ? Shell : ['/bin/sh', '-c'];
}
