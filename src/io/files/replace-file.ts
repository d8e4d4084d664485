// Changes a small file that belongs to somebody: a link to it stays a link, and whoever could read it still can, also if root makes the change.
import { stat } from 'node:fs/promises';
import { writeFileAtomically } from './atomic-file.ts';
import { isFsError } from './fs-errors.ts';
import { behindLinks } from './special-file.ts';

/** `mode` is that of a new file, whatever the umask is. Errors: NO_SPACE, READ_ONLY, NO_ACCESS. */
export async function replaceFile(file: string, content: string, { mode }: { readonly mode: number }): Promise<void> {
  const target = await behindLinks(file);
  const before = await stat(target).catch((error: unknown) => {
    if (isFsError(error, 'ENOENT')) return undefined;
    throw error;
  });
  await writeFileAtomically(target, content, { like: before ?? { mode } });
}
