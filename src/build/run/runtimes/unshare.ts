// util-linux alone: unshare makes the namespaces, mount replaces the root file system, setpriv switches to the user. None of them can load a system call
// filter (util-linux 2.38), so there is no capability to make devices.
import { command, quoted } from '../shell.ts';
import { gainsNothing, type Launch, type LaunchPlan, MASKED, READ_ONLY, type Runtime } from './contract.ts';

export function unshareRuntime(programs: { readonly unshare: string; readonly setpriv: string }): Runtime {
  return { name: 'unshare', can: ({ ignoreChown }) => !ignoreChown, plan: (launch) => plan(launch, programs) };
}

function plan(launch: Launch, programs: { readonly unshare: string; readonly setpriv: string }): LaunchPlan {
  const network = launch.loopbackOnly ? ['--net'] : [];
  const namespaces = ['--mount', '--pid', '--fork', '--kill-child', '--ipc', '--uts', ...network];
  return {
    files: new Map([['inner', inner(launch, programs)]]),
    command: `${command(programs.unshare, ...namespaces, 'sh', 't/inner')}`,
  };
}

function inner(launch: Launch, { unshare, setpriv }: { readonly unshare: string; readonly setpriv: string }): string {
  const { root, user, ids } = launch;
  return [
    'set -e',
    `mount -t proc -o nosuid,nodev,noexec proc ${quoted(`${root}/proc`)}`,
    // Best effort: the build works without the host name.
    `hostname ${quoted(launch.hostname)} 2>/dev/null || :`,
    ...(ids.enter === 'directly' ? masks(root) : withoutNesting(root)),
    ...(launch.loopbackOnly ? ['ip link set lo up 2>/dev/null || :'] : []),
    `cd ${quoted(root)}`,
    // Makes the old root unreachable, even for a process that escapes from the chroot: this mount now covers the old `/`.
    'mount -n --move . /',
    ...exported(launch.env),
    // The pipe is owned by root. Otherwise the user could not reopen it by name (/dev/stdout).
    ...(user.uid === 0 ? [] : [`chown ${user.uid} /proc/self/fd/1`]),
    `exec ${command(
      setpriv,
      ...['--regid', `${user.gid}`],
      ...(ids.owners === 'one'
        ? ['--keep-groups']
        : user.groups.length > 0
          ? ['--groups', user.groups.join(',')]
          : ['--clear-groups']),
      ...capabilities(launch),
      ...(gainsNothing(launch) ? ['--no-new-privs'] : []),
      ...[unshare, '--root=.', `--wd=${launch.directory}`],
      // Last, because chroot needs a capability that the user must not have.
      ...(user.uid === 0 ? [] : [`--setuid=${user.uid}`]),
      '--',
      ...loading(launch),
    )}`,
  ].join('\n');
}

function capabilities({ capabilities: all }: Launch): readonly string[] {
  const bounding = all
    .filter((capability) => capability !== 'MKNOD')
    .map((capability) => `+${capability.toLowerCase()}`)
    .join(',');
  return [`--bounding-set=-all,${bounding}`, '--inh-caps=-all', '--ambient-caps=-all'];
}

/**
 * Forbids nested user namespaces, in which a process would have all capabilities. The limit belongs to this user namespace, which is temporary, so it can be 0
 * (user_namespaces(7)). Root of the machine has no such namespace, so this is not used there.
 */
function withoutNesting(root: string): readonly string[] {
  return [`echo 0 2>/dev/null >${quoted(`${root}/proc/sys/user/max_user_namespaces`)} || :`];
}

function masks(root: string): readonly string[] {
  return [
    ...READ_ONLY.map((path) =>
      onThere(root + path, (at) => `{ mount -o bind ${at} ${at} && mount -o remount,bind,ro ${at}; }`),
    ),
    ...MASKED.map((path) =>
      onThere(
        root + path,
        (at) => `if [ -d ${at} ]; then mount -t tmpfs -o ro none ${at}; else mount -o bind /dev/null ${at}; fi`,
      ),
    ),
  ];
}

function onThere(path: string, command: (quotedPath: string) => string): string {
  return `if [ -e ${quoted(path)} ]; then ${command(quoted(path))}; fi`;
}

/** Variables of the dynamic loader would also affect this machine's programs, so a shell of the image sets them. */
const LOADER = /^LD_/;
const IS_NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;

function exported(env: Launch['env']): readonly string[] {
  const plain = [...env].filter(([name]) => IS_NAME.test(name) && !LOADER.test(name));
  return [
    'unset OLDPWD SHLVL PWD LC_ALL PATH || :',
    ...plain.map(([name, value]) => `export ${name}=${quoted(value)}`),
  ];
}

function loading({ env, args }: Launch): readonly string[] {
  const loader = [...env].filter(([name]) => LOADER.test(name));
  if (loader.length === 0) return args;
  const script = `${loader.map(([name, value]) => `export ${name}=${quoted(value)}`).join('; ')}; exec "$@"`;
  return ['/bin/sh', '-c', script, '/bin/sh', ...args];
}
