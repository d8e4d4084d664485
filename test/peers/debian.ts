// A real root file system: Debian made by debootstrap, once, and kept for later runs (root only; takes half a minute).
import { existsSync } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { must } from './process.ts';
import { temporaryDirectory } from './temporary.ts';

const DIRECTORY = '/var/tmp/images-debian';

/** Returns the path of a tar archive with the file system, its owners and capabilities. */
export async function debianArchive(): Promise<string> {
  const archive = join(DIRECTORY, 'root.tar');
  if (existsSync(archive)) return archive;
  await mkdir(DIRECTORY, { recursive: true });
  await using directory = await temporaryDirectory('debian');
  const root = join(directory.path, 'root');
  await must('debootstrap', ['--variant=minbase', 'bookworm', root]);
  // Without downloaded packages, which are large and irrelevant for tests.
  await rm(join(root, 'var/cache/apt/archives'), { recursive: true, force: true });
  const part = `${archive}.${process.pid}`;
  await must('tar', ['-C', root, '--xattrs', '--xattrs-include=*', '-cf', part, '.']);
  await rename(part, archive);
  return archive;
}
