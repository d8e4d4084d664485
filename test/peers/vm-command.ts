// The command line of qemu for the image that peers/vm-image makes: its init takes the script from the second disk, and further disks as overlays.
import { join } from 'node:path';

/** A network card at a bridge of a network that a test has made. */
export interface VmCard {
  readonly tap: string;
  readonly mac: string;
  /** What runs a command in that network. */
  readonly inside: readonly string[];
}

interface VmMachine {
  /** The directory with kernel, initrd and root. */
  readonly image: string;
  /** A tar with the script `run`. */
  readonly script: string;
  /** In the place of the image's root, which is never changed. */
  readonly disk: string | undefined;
  readonly disks?: readonly string[];
  readonly forwards?: Readonly<Record<number, number>>;
  readonly card?: VmCard;
}

export function vmCommand({ image, script, disk, disks = [], forwards = {}, card }: VmMachine): readonly string[] {
  const root = disk === undefined ? `file=${join(image, 'root.ext4')},snapshot=on` : `file=${disk},cache=unsafe`;
  const drives = [root, ...[script, ...disks].map((file) => `file=${file},readonly=on`)];
  return [
    ...(card?.inside ?? []),
    'qemu-system-x86_64',
    // One processor: with two, emulated machines lock up more often. One without AVX, which is emulated so slowly that SHA-256 takes three times as long, and so do pulls.
    ...['-accel', 'tcg,thread=multi', '-cpu', 'Nehalem', '-smp', '1', '-m', '1024', '-no-reboot'],
    ...['-display', 'none', '-monitor', 'none', '-serial', 'stdio'],
    ...['-kernel', join(image, 'kernel'), '-initrd', join(image, 'initrd.gz')],
    ...['-append', 'console=ttyS0 quiet panic=-1 net.ifnames=0'],
    ...(card ? tapped(card) : userSpace(forwards)),
    ...drives.flatMap((drive) => ['-drive', `${drive},format=raw,if=virtio`]),
  ];
}

function tapped({ tap, mac }: VmCard): readonly string[] {
  return [
    ...['-netdev', `tap,id=n,ifname=${tap},script=no,downscript=no`],
    ...['-device', `virtio-net-pci,netdev=n,romfile=,mac=${mac}`],
  ];
}

function userSpace(forwards: Readonly<Record<number, number>>): readonly string[] {
  const ports = Object.entries(forwards).map(
    ([port, to]) => `,guestfwd=tcp:192.168.0.250:${port}-cmd:socat - TCP:127.0.0.1:${to}`,
  );
  return [
    ...['-netdev', `user,id=n,restrict=on,net=192.168.0.0/24,host=192.168.0.254${ports.join('')}`],
    ...['-device', 'virtio-net-pci,netdev=n,romfile='],
  ];
}
