// bubblewrap, only for commands that run as root: it cannot switch to another user in a namespace that it did not create.
import { statSync } from 'node:fs';
import { compileFilter } from '../seccomp/compile.ts';
import { OWNER_CALLS } from '../seccomp/list.ts';
import { command } from '../shell.ts';
import { type Launch, type LaunchPlan, MASKED, READ_ONLY, type Runtime } from './contract.ts';

export function bwrap(program: string, setpriv: string): Runtime {
  return {
    name: 'bwrap',
    can: ({ user, ignoreChown }) =>
      user.uid === 0 && user.gid === 0 && (!ignoreChown || compileFilter(process.arch) !== undefined),
    plan: (launch) => plan(launch, program, setpriv),
  };
}

function plan(launch: Launch, program: string, setpriv: string): LaunchPlan {
  const filter = compileFilter(process.arch, { pretended: launch.ignoreChown ? OWNER_CALLS : [] });
  const groups = launch.ids.owners === 'one' ? [] : [setpriv, '--groups', [0, ...launch.user.groups].join(',')];
  return {
    files: new Map<string, string | Uint8Array>([
      // Passed in a file: everybody can see a command line, and variables can be secrets.
      [
        'arguments',
        argumentsOf(launch, filter !== undefined)
          .map((argument) => `${argument}\0`)
          .join(''),
      ],
      ...(filter ? [['filter', filter] as const] : []),
    ]),
    command: `${command(...groups, program, '--args', '8', '--', ...launch.args)} 8<t/arguments${filter ? ' 9<t/filter' : ''}`,
  };
}

function argumentsOf(launch: Launch, filtered: boolean): readonly string[] {
  const direct = launch.ids.enter === 'directly';
  return [
    ...['--dev-bind', launch.root, '/', '--proc', '/proc'],
    // In a user namespace the kernel already protects these paths.
    ...(direct ? READ_ONLY.flatMap((path) => ['--ro-bind-try', path, path]) : []),
    ...(direct ? MASKED.flatMap(masked) : []),
    ...['--unshare-pid', '--unshare-ipc', '--unshare-uts', '--hostname', launch.hostname],
    ...(launch.loopbackOnly ? ['--unshare-net'] : []),
    ...['--as-pid-1', '--die-with-parent', '--chdir', launch.directory, '--clearenv'],
    ...[...launch.env].flatMap(([name, value]) => ['--setenv', name, value]),
    ...['--cap-drop', 'ALL'],
    ...launch.capabilities.flatMap((capability) => ['--cap-add', `CAP_${capability}`]),
    ...(filtered ? ['--seccomp', '9'] : []),
  ];
}

/** Masks a path only if it exists: mount points are not created. */
function masked(path: string): readonly string[] {
  const found = statSync(path, { throwIfNoEntry: false });
  if (found?.isDirectory()) return ['--tmpfs', path, '--remount-ro', path];
  return found ? ['--dev-bind-try', '/dev/null', path] : [];
}
