// The key that all tokens of the embedded registry are signed with: DIR/images/access/key, 32 bytes, for the owner only.
import { createHash, randomBytes } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { writeFileAtomically } from '../../io/files/atomic-file.ts';
import { isFsError, translatingFsErrors } from '../../io/files/fs-errors.ts';
import { acquireLock } from '../../io/files/lock.ts';
import { ImagesError, isImagesError } from '../../oci/errors.ts';

const KEY_LENGTH = 32;

/**
 * Made at first use. With another key, tokens that were given before are refused: so after each start, if the store cannot be written to, unless it has to be
 * `kept`. Errors: CONFIG_INVALID (the file is damaged, or others can read it), NO_ACCESS, NO_SPACE, READ_ONLY.
 */
export async function tokenKey(data: string, kept?: 'kept'): Promise<Uint8Array> {
  const file = join(data, 'images/access/key');
  const there = await keyIn(file);
  if (there) return there;
  const key = randomBytes(KEY_LENGTH);
  try {
    // Of two that make it at once, the second takes that of the first.
    await using _making = await translatingFsErrors(file, () => acquireLock(`${file}.making`));
    const made = await keyIn(file);
    if (made) return made;
    await writeFileAtomically(file, key, { like: { mode: 0o600 } });
  } catch (error) {
    if (kept || !isImagesError(error, 'READ_ONLY')) throw error;
  }
  return key;
}

async function keyIn(file: string): Promise<Uint8Array | undefined> {
  const found = await translatingFsErrors(file, async () => {
    const key = await readFile(file);
    return { key, mode: (await stat(file)).mode };
  }).catch((error: unknown) => {
    if (isFsError(error, 'ENOENT')) return undefined;
    throw error;
  });
  if (!found) return undefined;
  if (found.key.length !== KEY_LENGTH) {
    throw new ImagesError('CONFIG_INVALID', `the key of tokens is damaged [${file}]`, {
      hint: 'Remove it: a new one is made. All tokens end then; give machines new ones.',
    });
  }
  if ((found.mode & 0o077) === 0) return found.key;
  throw new ImagesError('CONFIG_INVALID', `others can read the key of tokens [${file}]`, {
    hint: `Who has read it can log in as anybody. If nobody has: chmod 600 ${file}; else remove it, and give machines new tokens.`,
  });
}

/** The name of the store in its tokens. */
export function issuerOf(key: Uint8Array): string {
  return `images-${createHash('sha256').update(key).digest('hex').slice(0, 16)}`;
}
