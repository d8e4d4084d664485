import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, readlink, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { eventually } from '../../../test/testing/eventually.ts';
import type { Settings } from '../settings.ts';
import { type TemporaryWorld, temporaryWorld } from '../testing/temporary-world.ts';
import { archiveOfFileSystem, fileSystemOutput, isFileSystem } from './file-system-image.ts';

/** A script that stands for a program: its help, and else its date, the number of its arguments and its input go to the file. */
const maker = (help: string, file: string) =>
  `test "$1" = --help && echo "${help}" && exit; { echo "$SOURCE_DATE_EPOCH $#"; cat; } >"${file}"`;
const TAR2SQFS = maker('zstd', '$7');
const EROFS = maker('--tar', '$5');

interface Machine extends AsyncDisposable {
  readonly world: TemporaryWorld;
  readonly settings: Settings;
  readonly out: string;
  /** The names of all files beside the programs. */
  left(): Promise<readonly string[]>;
}

/** A machine that has only these programs. */
async function machineWith(programs: Readonly<Record<string, string>>): Promise<Machine> {
  const world = await temporaryWorld();
  for (const [name, body] of Object.entries(programs)) await world.script(`bin/${name}`, body);
  await mkdir(join(world.path, 'bin'), { recursive: true });
  // What the scripts themselves need is found after them.
  for (const name of ['cat', 'sh', 'sleep']) await symlink(`/bin/${name}`, join(world.path, 'bin', name));
  const temporaryDirectory = join(world.path, 'tmp');
  await mkdir(temporaryDirectory);
  return {
    world,
    settings: world.settings({ PATH: join(world.path, 'bin') }, { temporaryDirectory }),
    out: join(world.path, 'out'),
    left: async () =>
      [...(await readdir(world.path)), ...(await readdir(temporaryDirectory))].filter(
        (name) => name !== 'bin' && name !== 'tmp',
      ),
    [Symbol.asyncDispose]: () => world[Symbol.asyncDispose](),
  };
}

async function made({ out, settings }: Machine, kind: 'squashfs' | 'erofs', bytes = 'archive'): Promise<string> {
  await using output = await fileSystemOutput(out, kind, settings);
  await output.write([Buffer.from(bytes)]);
  expect(existsSync(out)).toBe(false);
  await output.finish();
  return String(await readFile(out));
}

describe('a file system', () => {
  it.each([
    ['squashfs', { tar2sqfs: TAR2SQFS }, '1 7\narchive'],
    ['erofs', { 'mkfs.erofs': EROFS }, '1 6\narchive'],
  ] as const)('of the kind %s is what the program makes of the archive', async (kind, programs, text) => {
    await using machine = await machineWith(programs);
    expect(await made(machine, kind)).toBe(text);
    expect(await machine.left()).toEqual(['out']);
  });

  it('is made by another program if the first is too old; the root directory gets the same time', async () => {
    // The least that has a root: a superblock, and an uncompressed table with its inode (squashfs-root-time.ts).
    const made = Buffer.alloc(128, 0x55);
    made.write('hsqs', 0, 'latin1');
    made.writeBigUInt64LE(0n, 32);
    made.writeBigUInt64LE(96n, 64);
    made.writeUInt16LE(0x8000 | 30, 96);
    made.writeUInt16LE(1, 98);
    const sqfstar = `test "$1" = --help && echo -root-mode && exit; cat >/dev/null; shift 9; cat "$0.made" >"$5"`;
    await using machine = await machineWith({ tar2sqfs: maker('gzip', '$7'), sqfstar });
    await writeFile(join(machine.world.path, 'bin/sqfstar.made'), made);
    await using output = await fileSystemOutput(machine.out, 'squashfs', machine.settings);
    await output.write([Buffer.from('archive')]);
    await output.finish();
    made.writeUInt32LE(1, 98 + 8);
    expect(await readFile(machine.out)).toEqual(made);
    expect(await machine.left()).toEqual(['out']);
  });

  it.each(['squashfs', 'erofs'] as const)(
    '%s cannot be made without its program; the error says what to install',
    async (kind) => {
      await using machine = await machineWith({});
      await expect(fileSystemOutput(machine.out, kind, machine.settings)).rejects.toMatchObject({
        code: 'UNSUPPORTED',
        message: `no program here makes ${kind} of an archive`,
        hint: expect.stringMatching(/^Install /),
      });
    },
  );

  it('replaces the file that a link points to, and the link stays', async () => {
    await using machine = await machineWith({ tar2sqfs: TAR2SQFS });
    const target = join(machine.world.path, 'target');
    await symlink('target', machine.out);
    await using output = await fileSystemOutput(machine.out, 'squashfs', machine.settings);
    await output.write([Buffer.from('archive')]);
    await output.finish();
    expect([await readlink(machine.out), existsSync(target)]).toEqual(['target', true]);
  });

  it('is not written to a directory or device', async () => {
    await using machine = await machineWith({ tar2sqfs: TAR2SQFS });
    for (const path of [machine.world.path, '/dev/null']) {
      await expect(fileSystemOutput(path, 'squashfs', machine.settings)).rejects.toMatchObject({
        code: 'LOCATION_INVALID',
        message: `squashfs is written to a regular file only [${path}]`,
      });
    }
  });

  it('is not left by a program that fails; its error is reported', async () => {
    const failing = `test "$1" = --help && echo zstd && exit; echo >"$7"; cat >/dev/null; printf 'one\\nError: no room\\nlast\\n' >&2; exit 1`;
    await using machine = await machineWith({ tar2sqfs: failing });
    await expect(made(machine, 'squashfs')).rejects.toMatchObject({
      code: 'UNSUPPORTED',
      message: 'tar2sqfs failed: Error: no room',
      said: 'Error: no room',
    });
    expect(await machine.left()).toEqual([]);
  });

  it('is not left by a program that ends before it has read everything', async () => {
    const early = 'test "$1" = --help && echo zstd && exit; echo no room >&2; exit 1';
    await using machine = await machineWith({ tar2sqfs: early });
    await expect(made(machine, 'squashfs', 'x'.repeat(9_000_000))).rejects.toMatchObject({
      message: 'tar2sqfs failed: no room',
    });
    expect(await machine.left()).toEqual([]);
  });

  it('that is aborted ends its program, and leaves nothing', async () => {
    const waiting = `test "$1" = --help && echo zstd && exit; echo $$ >"$0.pid"; echo >"$7"; exec sleep 100`;
    await using machine = await machineWith({ tar2sqfs: waiting });
    const output = await fileSystemOutput(machine.out, 'squashfs', machine.settings);
    const file = join(machine.world.path, 'bin/tar2sqfs.pid');
    const pid = Number(await eventually(async () => existsSync(file) && (await readFile(file, 'utf8'))));
    await output[Symbol.asyncDispose]();
    expect(existsSync(`/proc/${pid}`)).toBe(false);
    expect(await machine.left()).toEqual([]);
  });
});

describe('a file system is recognised by its first bytes', () => {
  const erofs = Buffer.alloc(2048);
  erofs.writeUInt32LE(0xe0f5e1e2, 1024);

  it.each([
    ['hsqs: a squashfs', Buffer.from('hsqs'), 'squashfs'],
    ['a superblock at 1024: an erofs', erofs, 'erofs'],
    ['one that is cut off: none', erofs.subarray(0, 1027), undefined],
    ['a tar: none', Buffer.alloc(2048), undefined],
    ['nothing: none', Buffer.of(), undefined],
  ])('%s', (_, first, kind) => {
    expect(isFileSystem(first)).toBe(kind);
  });
});

describe('the archive of a squashfs', () => {
  it('is what sqfs2tar writes, in a file that is gone afterwards', async () => {
    await using machine = await machineWith({ sqfs2tar: 'test "$1" = --help && exit; cat "$1"' });
    await writeFile(machine.out, 'hsqs of files');
    const archive = await archiveOfFileSystem(machine.out, 'squashfs', machine.settings);
    expect(String(await readFile(archive.path))).toBe('hsqs of files');
    await archive[Symbol.asyncDispose]();
    expect(await machine.left()).toEqual(['out']);
  });

  it('is made by tar of some unpacked files, if only they are wanted', async () => {
    const programs = {
      unsquashfs:
        'test "$1" = --help && exit; for each; do test "$each" = -d && next=1 || { test "$next" && echo "$@" >"$each"; next=; }; done',
      tar: 'test "$1" = --help && exit; cat "$2"',
    };
    await using machine = await machineWith(programs);
    const archive = await archiveOfFileSystem(machine.out, 'squashfs', machine.settings, ['some/file']);
    expect(String(await readFile(archive.path))).toMatch(/ some\/file\n$/);
    // The unpacked tree is gone already.
    expect(await readdir(join(archive.path, '..'))).toEqual(['store.tar']);
    await archive[Symbol.asyncDispose]();
    expect(await machine.left()).toEqual([]);
  });

  it('that cannot be read is reported, and leaves nothing', async () => {
    await using machine = await machineWith({ sqfs2tar: 'test "$1" = --help && exit; echo broken >&2; exit 3' });
    await expect(archiveOfFileSystem(machine.out, 'squashfs', machine.settings)).rejects.toMatchObject({
      code: 'UNSUPPORTED',
      message: 'sqfs2tar failed: broken',
      hint: expect.stringContaining(machine.settings.temporaryDirectory),
    });
    expect(await machine.left()).toEqual([]);
  });

  it('needs a directory for temporary files, which is named if it is missing', async () => {
    await using machine = await machineWith({ sqfs2tar: 'test "$1" = --help && exit; cat "$1"' });
    const temporaryDirectory = join(machine.world.path, 'nowhere');
    const settings = { ...machine.settings, temporaryDirectory };
    await expect(archiveOfFileSystem(machine.out, 'squashfs', settings)).rejects.toMatchObject({
      code: 'ENOENT',
      path: temporaryDirectory,
    });
  });

  it.each([
    ['squashfs', 'squashfs-tools-ng'],
    ['erofs', 'Mount it'],
  ] as const)('(or %s) needs a program: the error says what helps', async (kind, hint) => {
    await using machine = await machineWith({});
    await expect(archiveOfFileSystem(machine.out, kind, machine.settings)).rejects.toMatchObject({
      code: 'UNSUPPORTED',
      hint: expect.stringContaining(hint),
    });
  });
});
