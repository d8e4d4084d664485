// Checks whether a store can be read and written right now, in the directories that pulls and pushes use, at almost no cost.
import { randomUUID } from 'node:crypto';
import { constants } from 'node:fs';
import { access, mkdir, open, opendir, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { isFsError, translatingFsErrors } from '../io/files/fs-errors.ts';
import { REPOSITORIES } from './layout/registry-keys.ts';

export interface StoreHealth {
  /** Errors: NO_ACCESS, those of the system. */
  canRead(): Promise<void>;
  /** Errors: NO_SPACE, READ_ONLY, NO_ACCESS, those of the system. */
  canWrite(): Promise<void>;
}

/** The least room that a push needs: a manifest, its config and their links. */
const ROOM = Buffer.alloc(64 * 1024, 'images');

export function storeHealth(directory: string): StoreHealth {
  const repositories = join(directory, REPOSITORIES);
  // Leftovers of a killed process are swept with the other temporary files.
  const temporary = join(directory, 'images/tmp');

  async function write(): Promise<void> {
    await mkdir(temporary, { recursive: true });
    const path = join(temporary, `${process.pid}-${randomUUID()}`);
    const handle = await open(path, 'wx');
    try {
      await handle.writeFile(ROOM);
      // Some file systems report a full disk only now.
      await handle.datasync();
    } finally {
      await handle.close();
      await unlink(path);
    }
  }

  return {
    canRead: () => translatingFsErrors(directory, () => ifThere(() => readOne(repositories))),
    canWrite: () =>
      translatingFsErrors(directory, async () => {
        await ifThere(() => access(repositories, constants.W_OK));
        await write();
      }),
  };
}

/** The first entry of a directory. */
async function readOne(path: string): Promise<void> {
  const directory = await opendir(path);
  try {
    await directory.read();
  } finally {
    await directory.close();
  }
}

/** Ignores ENOENT: an empty store has no folders. */
async function ifThere(look: () => Promise<void>): Promise<void> {
  try {
    await look();
  } catch (error) {
    if (!isFsError(error, 'ENOENT')) throw error;
  }
}
