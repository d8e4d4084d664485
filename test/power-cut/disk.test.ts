// The test double of a disk: which writes survive a power cut.
import { spawnSync } from 'node:child_process';
import { mkdir, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { temporaryDirectory } from '../peers/temporary.ts';
import { forgetfulDisk, type Left } from './disk.ts';

/** Runs a program that syncs a part of its writes, and returns what survives. */
async function afterCut(left: Left, random?: () => number) {
  await using directory = await temporaryDirectory('disk');
  const root = join(directory.path, 'root');
  await using disk = await forgetfulDisk(root);
  const script = `
    import { link, mkdir, open, rename, writeFile } from 'node:fs/promises';
    import { fsync, openSync, readFileSync } from 'node:fs';
    import { promisify } from 'node:util';
    process.chdir(${JSON.stringify(root)});
    const sync = async (path) => { const handle = await open(path); await handle.sync(); await handle.close(); };
    await mkdir('d');
    await writeFile('d/synced', 'synced'); await sync('d/synced');
    await writeFile('d/unsynced', 'unsynced');
    await writeFile('d/replaced', 'old'); await sync('d/replaced');
    await sync('d'); await sync('.');
    await writeFile('d/new', 'new'); await promisify(fsync)(openSync('d/new'));
    await writeFile('d/temporary', 'newer'); await sync('d/temporary'); await rename('d/temporary', 'd/replaced');
    const grown = await open('d/synced', 'a'); await grown.write(', and more'); await grown.close();
    console.log(readFileSync('/proc/sys/kernel/random/boot_id', 'utf8'));
  `;
  const env = { ...process.env, ...disk.env() };
  const before = disk.env().POWER_CUT_BOOT;
  const run = spawnSync(process.execPath, ['--input-type=module', '-e', script], { env, encoding: 'utf8' });
  expect(run.stderr).toBe('');
  expect(run.stdout.trim()).toBe(before);
  await disk.cut(left, random);
  expect(disk.env().POWER_CUT_BOOT).not.toBe(before);
  const names = await readdir(join(root, 'd'));
  const read = async (name: string) => [name, await readFile(join(root, 'd', name), 'utf8')] as const;
  return Object.fromEntries(await Promise.all(names.map(read)));
}

it('the simulated disk keeps what was synced, and nothing else', async () => {
  expect(await afterCut('nothing')).toEqual({ synced: 'synced', unsynced: '', replaced: 'old' });
});

it('the simulated disk can keep all names, and of their files the bytes that were synced', async () => {
  expect(await afterCut('names')).toEqual({
    synced: `synced${'\0'.repeat(10)}`,
    unsynced: '\0'.repeat(8),
    replaced: 'newer',
    new: 'new',
  });
});

it('the simulated disk can keep some names', async () => {
  let turn = 0;
  const found = await afterCut('some', () => (turn++ % 2 === 0 ? 0 : 1));
  expect(Object.keys(found).length).toBeGreaterThan(0);
  if (found.synced !== undefined) expect(found.synced).toMatch(/^synced/);
});

it('the simulated disk forgets a directory whose name was not synced', async () => {
  await using directory = await temporaryDirectory('disk');
  const root = join(directory.path, 'root');
  await using disk = await forgetfulDisk(root);
  await mkdir(join(root, 'a/b'), { recursive: true });
  await disk.cut('nothing');
  expect(await readdir(root)).toEqual([]);
  await rm(root, { recursive: true });
});

it('a simulated journal keeps all names that came before the sync of any directory, and later ones in their order', async () => {
  await using directory = await temporaryDirectory('disk');
  const root = join(directory.path, 'root');
  await using disk = await forgetfulDisk(root, { hasJournal: true });
  const script = `
    import { mkdirSync, openSync, renameSync, writeFileSync } from 'node:fs';
    import { open } from 'node:fs/promises';
    process.chdir(${JSON.stringify(root)});
    const sync = async (path) => { const handle = await open(path); await handle.sync(); await handle.close(); };
    mkdirSync('a/b', { recursive: true });
    writeFileSync('a/b/synced', 'synced'); await sync('a/b/synced');
    writeFileSync('a/b/unsynced', 'unsynced');
    await sync('.');
    for (const name of ['1', '2', '3']) { writeFileSync(name, name); await sync(name); }
  `;
  const env = { ...process.env, ...disk.env() };
  const run = spawnSync(process.execPath, ['--input-type=module', '-e', script], { env, encoding: 'utf8' });
  expect(run.stderr).toBe('');
  // The second of the three moments at which the journal may have been written since.
  await disk.cut('some', () => 0.26);
  expect((await readdir(root)).toSorted()).toEqual(['1', '2', 'a']);
  expect(await readFile(join(root, 'a/b/synced'), 'utf8')).toBe('synced');
  expect(await readFile(join(root, 'a/b/unsynced'), 'utf8')).not.toBe('unsynced');
});
