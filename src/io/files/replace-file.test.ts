import { chmod, chown, lstat, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { replaceFile } from './replace-file.ts';

async function newDirectory(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'replace-'));
  onTestFinished(() => rm(directory, { recursive: true }));
  return directory;
}

const modeOf = async (file: string) => (await stat(file)).mode & 0o777;

it('a file keeps its mode and the link that leads to it; a new one has the mode that was asked for', async () => {
  const directory = await newDirectory();
  const [file, link, dangling] = ['file', 'link', 'dangling'].map((name) => join(directory, name)) as [
    string,
    string,
    string,
  ];
  const umask = process.umask(0o077);
  onTestFinished(() => void process.umask(umask));
  await replaceFile(file, 'one', { mode: 0o640 });
  expect(await modeOf(file)).toBe(0o640);
  await chmod(file, 0o664);
  await symlink('file', link);
  await replaceFile(link, 'two', { mode: 0o600 });
  expect([await readFile(file, 'utf8'), await modeOf(file)]).toEqual(['two', 0o664]);
  expect((await lstat(link)).isSymbolicLink()).toBe(true);
  await symlink('new', dangling);
  await replaceFile(dangling, 'three', { mode: 0o600 });
  expect(await readFile(join(directory, 'new'), 'utf8')).toBe('three');
  expect((await readdir(directory)).sort()).toEqual(['dangling', 'file', 'link', 'new']);
});

it.skipIf(process.getuid?.() !== 0)("a file that root changes stays its owner's (skipped for others)", async () => {
  const file = join(await newDirectory(), 'file');
  await writeFile(file, 'one', { mode: 0o600 });
  await chown(file, 1234, 5678);
  await replaceFile(file, 'two', { mode: 0o600 });
  expect(await stat(file)).toMatchObject({ uid: 1234, gid: 5678 });
  expect(await modeOf(file)).toBe(0o600);
});
