// runc and crun: a bundle of the OCI runtime specification 1.0.2.
import type { RuntimeName } from '../contract.ts';
import { command } from '../shell.ts';
import { CAPABILITIES, type Launch, type LaunchPlan, MASKED, READ_ONLY, type Runtime } from './contract.ts';
import { OWNER_CALLS } from './ignore-chown.ts';

export function ociRuntime(name: RuntimeName & ('runc' | 'crun'), program: string): Runtime {
  return { name, can: () => true, plan: (launch) => plan(name, program, launch) };
}

/** What each must be told so that it leaves cgroups alone: nothing is limited, and nothing may stay behind. */
const OPTIONS: Readonly<Record<'runc' | 'crun', readonly string[]>> = {
  runc: ['--rootless', 'true'],
  crun: ['--cgroup-manager', 'disabled'],
};

function plan(name: 'runc' | 'crun', program: string, launch: Launch): LaunchPlan {
  const words = [program, '--root', 't/state', '--log', 't/log', '--log-format', 'json', ...OPTIONS[name], 'run'];
  return {
    files: new Map([['config.json', JSON.stringify(configOf(launch))]]),
    command: command(...words, '--no-new-keyring', '--bundle', 't', 'build'),
    log: 'log',
  };
}

function configOf(launch: Launch): object {
  const { root, args, env, directory, user, hostname } = launch;
  const capabilities = CAPABILITIES.map((capability) => `CAP_${capability}`);
  const own = user.uid === 0 ? capabilities : [];
  const oneId = launch.ids.owners === 'one';
  return {
    ociVersion: '1.0.2',
    process: {
      terminal: false,
      user: { uid: user.uid, gid: user.gid, ...(!oneId && { additionalGids: user.groups }) },
      args,
      env: [...env].map(([variable, value]) => `${variable}=${value}`),
      cwd: directory,
      capabilities: { bounding: capabilities, effective: own, permitted: own, inheritable: [], ambient: [] },
      noNewPrivileges: false,
    },
    root: { path: root, readonly: false },
    hostname,
    mounts: [
      { destination: '/proc', type: 'proc', source: 'proc', options: ['nosuid', 'noexec', 'nodev'] },
      { destination: '/dev', type: 'bind', source: `${root}/dev`, options: ['rbind'] },
    ],
    linux: {
      namespaces: [
        { type: 'pid' },
        { type: 'ipc' },
        { type: 'uts' },
        { type: 'mount' },
        ...(launch.loopbackOnly ? [{ type: 'network' }] : []),
      ],
      maskedPaths: MASKED,
      readonlyPaths: READ_ONLY,
      ...(launch.ignoreChown && { seccomp: IGNORE_CHOWN }),
    },
  };
}

/** An error whose number is 0 is success. */
const IGNORE_CHOWN = {
  defaultAction: 'SCMP_ACT_ALLOW',
  syscalls: [{ names: OWNER_CALLS, action: 'SCMP_ACT_ERRNO', errnoRet: 0 }],
};
