// The files that the corpus builds from: a directory as a build context, and the base image's root file system as an archive.
import { execFileSync } from 'node:child_process';
import { chmod, mkdir, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { archiveOf, type TestEntry } from '../../src/rootfs/testing/layers.ts';

export const OVERLAY: readonly TestEntry[] = [
  { name: 'bin/', mode: 0o755 },
  { name: 'bin/controller', content: '#!/bin/sh\n', mode: 0o755, uid: 1000, gid: 50 },
  { name: 'bin/su', content: 'su', mode: 0o4755 },
  { name: 'etc/', mode: 0o750, uid: 3, gid: 4 },
  { name: 'etc/conf', content: 'conf', mode: 0o640, uid: 5, gid: 6 },
  { name: 'etc/hard', type: 'hardlink', linkname: 'etc/conf', mode: 0o640, uid: 5, gid: 6 },
  { name: 'etc/link', linkname: '../bin/controller', mode: 0o777 },
  { name: 'var/deep/file', content: 'no parents in the archive' },
];

/** Two links: one entry is below a directory that is a link in the image. */
const LINKS: readonly TestEntry[] = [
  { name: 'lib2/through', content: 'x' },
  { name: 'other', linkname: 'lib2' },
];

/** Writes files with modes, links, and archives of all compressions into `directory`. */
export async function makeContext(directory: string): Promise<void> {
  const file = async (name: string, content: string | Uint8Array, mode = 0o644) => {
    const path = join(directory, name);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, content);
    await chmod(path, mode);
  };
  await file('a.txt', 'A\n');
  await file('b.txt', 'BB\n', 0o600);
  await file('empty', '');
  await file('run.sh', '#!/bin/sh\necho run\n', 0o755);
  await file('with blank.txt', 'blank');
  await file('fake.tar', 'no archive');
  await file('tree/one', '1');
  await file('tree/sub/x', 'x', 0o640);
  await file('tree/sub/deep/y', 'y');
  await file('tree/.hidden', 'h');
  await symlink('one', join(directory, 'tree/link'));
  await symlink('/etc/passwd', join(directory, 'tree/absolute'));
  await chmod(join(directory, 'tree/sub'), 0o711);
  await file('tree2/one', 'other');
  await file('tree2/sub/z', 'z');
  const overlay = await archiveOf(OVERLAY);
  await file('ovl.tar', overlay);
  await file('links.tar', await archiveOf(LINKS));
  for (const [program, suffix] of [
    ['gzip', 'gz'],
    ['bzip2', 'bz2'],
    ['xz', 'xz'],
  ] as const) {
    await file(`ovl.tar.${suffix}`, execFileSync(program, ['-c'], { input: overlay }));
  }
}

const APPLETS =
  'sh ls cat echo mkdir rm rmdir touch env id ln chmod chown cp mv sort grep pwd true false mkfifo date'.split(' ');

/** The root file system of `base:1`. `busybox` is the program's bytes. */
export async function baseArchive(busybox: Uint8Array): Promise<Uint8Array> {
  return await archiveOf([
    { name: 'bin/' },
    { name: 'bin/busybox', content: busybox, mode: 0o755 },
    ...APPLETS.map((name) => ({ name: `bin/${name}`, linkname: 'busybox' })),
    { name: 'etc/' },
    { name: 'etc/passwd', content: 'root:x:0:0:root:/root:/bin/sh\nbob:x:1000:1001:Bob:/home/bob:/bin/sh\n' },
    { name: 'etc/group', content: 'root:x:0:\nbob:x:1001:\nstaff:x:50:bob\n' },
    { name: 'home/' },
    { name: 'home/bob/', mode: 0o755, uid: 1000, gid: 1001 },
    { name: 'tmp/', mode: 0o1777 },
  ]);
}
