// util-linux alone: unshare makes the namespaces, mount puts the root file system in the place of the old one, setpriv becomes the user. Neither of them
// can load a list of system calls (util-linux 2.38): so there is no capability for devices.
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
    // A name that cannot be set is no reason not to build.
    `hostname ${quoted(launch.hostname)} 2>/dev/null || :`,
    ...(ids.enter === 'directly' ? masks(root) : withoutNesting(root)),
    ...(launch.loopbackOnly ? ['ip link set lo up 2>/dev/null || :'] : []),
    `cd ${quoted(root)}`,
    // Nothing of the old root can be reached any more, not even by leaving the chroot: what is left on its `/` is this mount.
    'mount -n --move . /',
    ...exported(launch.env),
    // The pipe is root's: what nobody else could open again by its name.
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
      // Only then: a new root takes a right, and the user is to have none.
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
 * A user namespace in this one would have all capabilities over what is made in it. This one is thrown away, so its own number of them can be none
 * (user_namespaces(7)); who is root of the machine has no such number to himself.
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

/** A loader's own variables would be for the programs of this machine too: a shell of the image sets them. */
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
