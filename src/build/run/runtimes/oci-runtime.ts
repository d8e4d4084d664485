// runc and crun, with a bundle of the OCI runtime specification 1.0.2.
import type { RuntimeName } from '../contract.ts';
import { compileFilter } from '../seccomp/compile.ts';
import { OWNER_CALLS } from '../seccomp/list.ts';
import { ociProfile } from '../seccomp/oci-profile.ts';
import { command, quoted } from '../shell.ts';
import { boundingOf, gainsNothing, type Launch, type LaunchPlan, MASKED, READ_ONLY, type Runtime } from './contract.ts';

export function ociRuntime(name: RuntimeName & ('runc' | 'crun'), program: string): Runtime {
  return { name, can: () => true, plan: (launch) => plan(name, program, launch) };
}

/** Keeps runtimes from making control groups, which could be left over or collide with another's; nothing is limited anyway. So there are none, or none writable. */
const WITHOUT_CGROUPS: Readonly<Record<'runc' | 'crun', string>> = {
  runc: `if [ -e /sys/fs/cgroup/cgroup.controllers ]; then read_only /sys/fs/cgroup
else set -- /sys/fs/cgroup/*; mount -t tmpfs none /sys/fs/cgroup; mkdir -p -- "$@"; mount -o remount,bind,ro /sys/fs/cgroup; fi`,
  // crun refuses a mix of both cgroup versions, even if it is not to use any.
  crun: 'mount -t tmpfs -o ro none /sys/fs/cgroup',
};
const OPTIONS: Readonly<Record<'runc' | 'crun', readonly string[]>> = {
  runc: ['--rootless', 'true'],
  crun: ['--cgroup-manager', 'disabled'],
};

function plan(name: 'runc' | 'crun', program: string, launch: Launch): LaunchPlan {
  // Absolute paths, because crun changes to the bundle's directory before it opens them.
  const stateOptions = '--root "$run/t/state" --log "$run/t/log" --log-format json';
  const run = `${stateOptions} ${command(...OPTIONS[name])} run --no-new-keyring --bundle "$run/t" build`;
  return {
    files: new Map([['config.json', JSON.stringify(configOf(name, launch))]]),
    command: `${WITHOUT_CGROUPS[name]}
${quoted(program)} ${run}`,
    log: 'log',
  };
}

function configOf(name: 'runc' | 'crun', launch: Launch): object {
  const { root, args, env, directory, user, hostname } = launch;
  const named = (capabilities: readonly string[]) => capabilities.map((capability) => `CAP_${capability}`);
  const own = user.uid === 0 ? named(launch.capabilities) : [];
  const oneId = launch.ids.owners === 'one';
  const pretended = launch.ignoreChown ? OWNER_CALLS : [];
  return {
    ociVersion: '1.0.2',
    process: {
      terminal: false,
      user: { uid: user.uid, gid: user.gid, ...(!oneId && { additionalGids: user.groups }) },
      args,
      env: [...env].map(([variable, value]) => `${variable}=${value}`),
      cwd: directory,
      capabilities: {
        bounding: named(boundingOf(launch)),
        effective: own,
        permitted: own,
        inheritable: [],
        ambient: [],
      },
      noNewPrivileges: gainsNothing(launch),
    },
    root: { path: root, readonly: false },
    hostname,
    ...(name === 'crun' && compiled(pretended)),
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
      seccomp: ociProfile(process.arch, pretended),
    },
  };
}

/** For crun (crun(1), run.oci.seccomp_bpf_data): compiling the list with libseccomp takes longer than the rest of crun. Versions without support use the list. */
function compiled(pretended: readonly string[]): object | undefined {
  const filter = compileFilter(process.arch, { pretended });
  return filter && { annotations: { 'run.oci.seccomp_bpf_data': Buffer.from(filter).toString('base64') } };
}
