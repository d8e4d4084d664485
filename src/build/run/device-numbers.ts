// The devices that are allowed in the root file system of a RUN: those that cannot harm the machine (admin-guide/devices.txt).

export interface DeviceNumber {
  readonly major: number;
  readonly minor: number;
}

/** All are character devices: null, zero, full, random, urandom; tty, ptmx. */
export const HARMLESS_DEVICES: readonly DeviceNumber[] = [
  ...[3, 5, 7, 8, 9].map((minor) => ({ major: 1, minor })),
  ...[0, 2].map((minor) => ({ major: 5, minor })),
];

export function isHarmless(type: 'character' | 'block', { major, minor }: DeviceNumber): boolean {
  return type === 'character' && HARMLESS_DEVICES.some((each) => each.major === major && each.minor === minor);
}
