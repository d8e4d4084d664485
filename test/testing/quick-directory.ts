// Where tests make directories whose content need not outlive a power cut: in memory where there is room, because stores sync all that they write, and tests would
// wait for the disk most of their time. `npm run soak`, and all tests of the whole program, use the disk.
import { accessSync, constants, statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { rounds } from './soak.ts';

const MEMORY = '/dev/shm';
const TMPFS = 0x01021994;
/** In bytes: far more than tests that run at once need. */
const ROOM = 2 ** 30;

export const quickTmpdir: string = rounds(1) === 1 && hasRoom() ? MEMORY : tmpdir();

function hasRoom(): boolean {
  try {
    accessSync(MEMORY, constants.W_OK);
    const { type, bavail, bsize } = statfsSync(MEMORY);
    return type === TMPFS && bavail * bsize >= ROOM;
  } catch {
    return false;
  }
}
