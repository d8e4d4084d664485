import { execFileSync } from 'node:child_process';
import { chmod, mkdir, mkdtemp, rename, rm, truncate, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { hashSync } from 'bcryptjs';
import { describe, expect, it, onTestFinished } from 'vitest';
import { openHtpasswdFile } from './htpasswd-file.ts';

const HASH = hashSync('secret', 4);

async function scene(text = `anna:${HASH}\n`) {
  const directory = await mkdtemp(join(tmpdir(), 'htpasswd-'));
  onTestFinished(() => rm(directory, { recursive: true }));
  const path = join(directory, 'users');
  await writeFile(path, text);
  const clock = { ms: 1_000_000 };
  const notices: string[] = [];
  const file = await openHtpasswdFile({ file: path, now: () => clock.ms, onNotice: (notice) => notices.push(notice) });
  const users = async () => {
    clock.ms += 1000;
    await file.look();
    return [...file.users().keys()];
  };
  return { path, clock, notices, file, users };
}

describe('a file of passwords that changes', () => {
  it('is read again, but looked at once a second only', async () => {
    const { path, clock, file, users } = await scene();
    expect(file.look()).toBeUndefined();
    await writeFile(path, `bob:${HASH}\n`);
    clock.ms += 999;
    expect(file.look()).toBeUndefined();
    expect([...file.users().keys()]).toEqual(['anna']);
    expect(await users()).toEqual(['bob']);
  });

  it('is noticed by its content, even with the times and the size of before', async () => {
    const { path, users } = await scene();
    await utimes(path, 1000, 1000);
    expect(await users()).toEqual(['anna']);
    await writeFile(path, `eric:${HASH}`);
    await utimes(path, 1000, 1000);
    expect(await users()).toEqual(['eric']);
    await writeFile(`${path}.new`, `otto:${HASH}`);
    await rename(`${path}.new`, path);
    expect(await users()).toEqual(['otto']);
  });

  it('that is broken or gone leaves those of before, and is told once', async () => {
    const { path, users, notices } = await scene();
    await writeFile(path, 'anna:secret\n');
    expect(await users()).toEqual(['anna']);
    expect(await users()).toEqual(['anna']);
    expect(notices).toEqual([expect.stringContaining(`${path}:1: the password is not hashed with bcrypt`)]);
    await rm(path);
    expect(await users()).toEqual(['anna']);
    expect(notices[1]).toContain('cannot be read');
    await writeFile(path, '');
    expect(await users()).toEqual([]);
    await writeFile(path, 'broken\n');
    await users();
    expect(notices).toHaveLength(3);
  });

  it('is looked at once by all who ask at once', async () => {
    const { clock, file } = await scene();
    clock.ms += 1000;
    const first = file.look();
    expect(file.look()).toBe(first);
    await first;
  });

  it('that everybody can write is told of, once until that is mended', async () => {
    const { path, users, notices } = await scene();
    for (const mode of [0o666, 0o662, 0o644, 0o646]) {
      await chmod(path, mode);
      await users();
    }
    const told = `everybody on this machine can let themselves in by the file of passwords: chmod o-w ${path}`;
    expect(notices).toEqual([told, told]);
  });

  it('that is replaced by a pipe, a directory or something huge is not read', async () => {
    const { path, users, notices } = await scene();
    for (const [make, what] of [
      [() => execFileSync('mkfifo', [path]), 'no regular file'],
      [() => mkdir(path), 'no regular file'],
      [() => writeFile(path, '').then(() => truncate(path, 2 ** 32)), 'more than 16 MiB'],
    ] as const) {
      await rm(path, { recursive: true });
      await make();
      expect(await users()).toEqual(['anna']);
      expect(notices.at(-1)).toContain(what);
    }
  });

  it('that is broken or missing at the start is an error', async () => {
    await expect(scene('anna\n')).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
    await expect(openHtpasswdFile({ file: '/nowhere/users', now: () => 0 })).rejects.toMatchObject({
      code: 'FILE_UNREADABLE',
      message: expect.stringContaining('ENOENT'),
    });
  });
});
