// A real root file system: Debian by debootstrap, made once and kept for later runs (root only; half a minute).
import { existsSync } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { must } from './process.ts';
import { temporaryDirectory } from './temporary.ts';

const PLACE = '/var/tmp/images-debian';

/** A tar archive of it, owners and capabilities kept. */
export async function debianArchive(): Promise<string> {
  const archive = join(PLACE, 'root.tar');
  if (existsSync(archive)) return archive;
  await mkdir(PLACE, { recursive: true });
  await using directory = await temporaryDirectory('debian');
  const root = join(directory.path, 'root');
  await must('debootstrap', ['--variant=minbase', 'bookworm', root]);
  // The archive of packages is most of it, and no more to a test than other files.
  await rm(join(root, 'var/cache/apt/archives'), { recursive: true, force: true });
  const part = `${archive}.${process.pid}`;
  await must('tar', ['-C', root, '--xattrs', '--xattrs-include=*', '-cf', part, '.']);
  await rename(part, archive);
  return archive;
}
