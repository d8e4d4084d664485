// The table of commands, by groups, in the order of the help: the grammar, the help, the completion scripts and docs/commands.md are made from it.
import type { CommandSpec } from '../grammar/command.ts';
import { BUILD_COMMANDS } from './build.ts';
import { COPY_COMMANDS } from './copy.ts';
import { EMBEDDED_COMMANDS } from './embedded.ts';
import { LOGIN_COMMANDS } from './login.ts';
import { LOOK_COMMANDS } from './look.ts';
import { MAKE_COMMANDS } from './make.ts';
import { NODE_COMMANDS } from './nodes.ts';
import { OVERLAY_COMMANDS } from './overlays.ts';
import { PROGRAM_COMMANDS } from './program.ts';
import { REGISTRY_COMMANDS } from './registry.ts';

export const COMMANDS: readonly CommandSpec[] = [
  ...OVERLAY_COMMANDS,
  ...REGISTRY_COMMANDS,
  ...EMBEDDED_COMMANDS,
  ...NODE_COMMANDS,
  ...COPY_COMMANDS,
  ...LOGIN_COMMANDS,
  ...LOOK_COMMANDS,
  ...BUILD_COMMANDS,
  ...MAKE_COMMANDS,
  ...PROGRAM_COMMANDS,
];
