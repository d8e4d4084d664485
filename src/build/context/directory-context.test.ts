import { execFileSync, spawnSync } from 'node:child_process';
import { chmod, link, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { findPath, headerOf, walk } from '../../rootfs/tree.ts';
import type { TreeSource } from '../files/tree-source.ts';
import { directoryContext } from './directory-context.ts';
import { compilePatterns } from './patterns.ts';
import { createSpool, type Spool } from './spool.ts';

let root: string;
let spool: Spool;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'images-context-'));
  spool = await createSpool(join(root, '.spool'));
});
afterEach(async () => {
  await spool[Symbol.asyncDispose]();
  await rm(root, { recursive: true });
});

const TIME = { seconds: 5, nanoseconds: 0 };
const read = (...ignored: readonly string[]): Promise<TreeSource> =>
  directoryContext(root, spool, {
    ignore: compilePatterns(['.spool', ...ignored]),
    env: { PATH: process.env.PATH },
    time: TIME,
  });
const pathsOf = ({ tree }: TreeSource) => [...walk(tree.root)].map(({ path }) => path).slice(1);

describe('a directory as a context', () => {
  it('is its files, links and attributes, all of root', async () => {
    await mkdir(join(root, 'd'), { mode: 0o700 });
    await writeFile(join(root, 'd/f'), 'content');
    await chmod(join(root, 'd/f'), 0o4711);
    await link(join(root, 'd/f'), join(root, 'd/hard'));
    await symlink('../d/f', join(root, 'd/soft'));
    await writeFile(Buffer.concat([Buffer.from(`${root}/`), Buffer.from([0xff, 0x0a])]), '');
    const context = await read();
    expect(pathsOf(context)).toEqual(['d', 'd/f', 'd/hard', 'd/soft', '\udcff\n']);
    const node = (path: string) => (findPath(context.tree, path) as NonNullable<ReturnType<typeof findPath>>).node;
    expect(headerOf(node('d/f'))).toMatchObject({ mode: 0o4711, uid: 0, gid: 0, size: 7 });
    expect(node('d/hard').inode).toBe(node('d/f').inode);
    expect(headerOf(node('d/soft')).linkname).toBe('../d/f');
  });

  it('has files with the names of whiteouts, like all other files', async () => {
    await mkdir(join(root, '.wh.d'));
    for (const name of ['f', '.wh.f', '.wh.d/x', '.wh..wh..opq', '.wh.']) await writeFile(join(root, name), name);
    expect(pathsOf(await read())).toEqual(['.wh.', '.wh..wh..opq', '.wh.d', '.wh.d/x', '.wh.f', 'f']);
  });

  it('has sockets as empty files, and named pipes as they are', async () => {
    const server = createServer();
    await new Promise<void>((done) => server.listen(join(root, 'socket'), done));
    execFileSync('mkfifo', [join(root, 'pipe')]);
    try {
      const { tree } = await read();
      const header = (path: string) =>
        headerOf((findPath(tree, path) as NonNullable<ReturnType<typeof findPath>>).node);
      expect(header('socket')).toMatchObject({ type: 'file', size: 0, mtime: TIME });
      expect(header('pipe').type).toBe('fifo');
    } finally {
      server.close();
    }
  });

  const hasXattrs = spawnSync('setfattr', ['--version']).status === 0;
  it.skipIf(!hasXattrs)(`keeps extended attributes${hasXattrs ? '' : ' (skipped: no setfattr here)'}`, async () => {
    await writeFile(join(root, 'f'), '');
    execFileSync('setfattr', ['-n', 'user.note', '-v', 'kept', join(root, 'f')]);
    const { tree } = await read();
    expect(Buffer.from(tree.root.children?.get('f')?.inode.entry?.xattrs.get('user.note') ?? []).toString()).toBe(
      'kept',
    );
  });

  it('gives files of the same content the same id, whatever their times', async () => {
    await writeFile(join(root, 'a'), 'same');
    await writeFile(join(root, 'b'), 'same');
    await writeFile(join(root, 'c'), 'else');
    const context = await read();
    const idOf = async (name: string) => {
      const node = context.tree.root.children?.get(name);
      return node && (await context.contentId(node.inode));
    };
    const [a, b, c] = await Promise.all(['a', 'b', 'c'].map(idOf));
    expect([a === b, a === c]).toEqual([true, false]);
  });

  it('leaves out ignored files, but searches ignored directories for exceptions (!)', async () => {
    await mkdir(join(root, 'out/deep'), { recursive: true });
    await mkdir(join(root, 'none/deep'), { recursive: true });
    await writeFile(join(root, 'out/deep/keep'), '');
    await writeFile(join(root, 'out/drop'), '');
    await writeFile(join(root, 'none/deep/x'), '');
    expect(pathsOf(await read('out', 'none', '!out/deep/keep'))).toEqual(['out', 'out/deep', 'out/deep/keep']);
  });

  it('names the file that cannot be read, and says if tar is missing', async () => {
    const bin = join(root, 'bin');
    await mkdir(bin);
    const withPath = (path: string) =>
      directoryContext(root, spool, { ignore: undefined, env: { PATH: path }, time: TIME });
    await expect(withPath(bin)).rejects.toMatchObject({ code: 'RUN_UNAVAILABLE' });
    await writeFile(
      join(bin, 'tar'),
      '#! /bin/sh\necho "tar: ./closed: Cannot open: Permission denied" >&2\nexit 2\n',
      { mode: 0o755 },
    );
    await expect(withPath(bin)).rejects.toThrow(
      `the context cannot be read: ./closed: Cannot open: Permission denied [${root}]`,
    );
  });
});
