// The files of a node, written: as a tar that is unpacked on its root, or into a directory.
import { realpath } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { checkInside } from '../../certificates/inside-root.ts';
import { makeDirectory, writeFileAtomically } from '../../io/files/atomic-file.ts';
import { translatingFsErrors } from '../../io/files/fs-errors.ts';
import type { NodeFile } from '../../nodes/node-file.ts';
import { checkArguments, TEXT } from '../../oci/arguments.ts';
import { ImagesError } from '../../oci/errors.ts';
import { compareNames } from '../../tar/names.ts';
import { wholeSeconds } from '../../tar/time.ts';
import { type TarInput, writeTar } from '../../tar/writer.ts';

/** Owned by root, in the order of their names, with one time: equal files give equal bytes. Without directories: those of the node keep their modes. */
export function nodeTar(files: readonly NodeFile[]): AsyncIterable<Uint8Array> {
  return writeTar([...files].sort((a, b) => compareNames(a.path, b.path)).map(entryOf));
}

/** Files of these names are replaced, others stay. Errors: NO_ACCESS, NO_SPACE, READ_ONLY, CONFIG_INVALID (a link leads out of the directory), USAGE (it is this machine's root). */
export async function writeNodeFiles(files: readonly NodeFile[], directory: string): Promise<void> {
  checkArguments({ directory: [directory, TEXT] });
  const root = resolve(directory);
  if ((await realpath(root).catch(() => root)) === '/') {
    throw new ImagesError('USAGE', 'this would replace /etc/hosts and other files of this machine', {
      hint: 'images node_config --apply puts ours into them.',
    });
  }
  await translatingFsErrors(root, () => makeDirectory(root));
  const placed = files.map((file) => ({ ...file, path: join(root, file.path) }));
  await checkInside(root, placed);
  for (const { path, mode, content } of placed) await writeFileAtomically(path, content, { like: { mode } });
}

function entryOf({ path, mode, content }: NodeFile): TarInput {
  const bytes = Buffer.from(content);
  return {
    name: path,
    type: 'file',
    size: bytes.length,
    mode,
    uid: 0,
    gid: 0,
    mtime: wholeSeconds(1),
    linkname: '',
    device: { major: 0, minor: 0 },
    xattrs: new Map(),
    body: once(bytes),
  };
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}
