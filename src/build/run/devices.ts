// /dev of a container: the devices that the OCI runtime specification requires (config-linux.md, "Default Devices"), bind-mounted from this machine.
import type { TarHeader } from '../../tar/entry.ts';
import { emptyHeader } from './mount-points.ts';

const DEVICES: readonly string[] = ['null', 'zero', 'full', 'random', 'urandom', 'tty'];
const LINKS: Readonly<Record<string, string>> = {
  fd: '/proc/self/fd',
  stdin: '/proc/self/fd/0',
  stdout: '/proc/self/fd/1',
  stderr: '/proc/self/fd/2',
  ptmx: 'pts/ptmx',
};
/** The id of the group `tty`, the same on all distributions. */
const TTY = 5;

export const DEVICE_FILES: readonly TarHeader[] = [
  emptyHeader('dev/', 'directory'),
  emptyHeader('dev/pts/', 'directory'),
  emptyHeader('dev/shm/', 'directory', 0o1777),
  ...DEVICES.map((name) => emptyHeader(`dev/${name}`, 'file', 0o666)),
  ...Object.entries(LINKS).map(([name, linkname]) => ({ ...emptyHeader(`dev/${name}`, 'symlink', 0o777), linkname })),
];

/** Shell commands that mount /dev with these files. `shmSize` is in bytes. */
export function mountDevices(options: { readonly shmSize: number; readonly groups: boolean }): readonly string[] {
  const group = options.groups ? `,gid=${TTY}` : '';
  return [
    `for device in ${DEVICES.join(' ')}; do mount -o bind /dev/$device t/dev/$device; done`,
    `mount -t devpts -o newinstance,ptmxmode=0666,mode=0620,nosuid,noexec${group} devpts t/dev/pts`,
    `mount -t tmpfs -o mode=1777,nosuid,nodev,noexec,size=${options.shmSize} shm t/dev/shm`,
  ];
}

/** Mounts /sys read-only. If no new sysfs may be mounted, the machine's is used with its submounts; those that users can write to are hidden. */
export function mountSys(target: string, directly: boolean): readonly string[] {
  if (directly) return [`mount -t sysfs -o ro,nosuid,nodev,noexec sysfs ${target}`];
  return [
    `mount -o rbind /sys ${target}`,
    `mount -o remount,bind,ro,nosuid,nodev,noexec ${target}`,
    ...OF_USERS.map((path) => `[ ! -d ${target}/${path} ] || mount -t tmpfs -o ro images ${target}/${path}`),
  ];
}

/** Submounts of /sys that users can write to: control groups delegated by systemd (a user could freeze or kill his processes), connections of FUSE servers. */
const OF_USERS: readonly string[] = ['fs/cgroup', 'fs/fuse/connections'];
