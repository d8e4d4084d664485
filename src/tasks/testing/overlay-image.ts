// An overlay's directory from which an image is built: with a `tar` script that writes what the test gives it.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TarFile, tar } from '../../../test/fixtures/tar.ts';
import type { TemporaryWorld } from './temporary-world.ts';

/** Says something, and writes the archive. */
export const SCRIPT = 'test "$1" = - || exit 9; echo said >&2; exec cat "$0.archive"';

/** Makes the directory `name` with these text files, and the script with an archive of `archived`. Returns its path. */
export async function overlayImage(
  world: TemporaryWorld,
  name: string,
  {
    files = {},
    archived = [{ name: 'etc/' }, { name: 'etc/motd', data: 'hello' }],
    script = SCRIPT,
  }: OverlayImage = {},
): Promise<string> {
  for (const [file, text] of Object.entries(files)) await world.file(`${name}/${file}`, text);
  await world.script(`${name}/tar`, script);
  await writeFile(join(world.path, name, 'tar.archive'), tar(archived));
  return join(world.path, name);
}

export interface OverlayImage {
  readonly files?: Readonly<Record<string, string>>;
  readonly archived?: readonly TarFile[];
  /** The lines of the script after the first. */
  readonly script?: string;
}
