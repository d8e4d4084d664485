import { existsSync } from 'node:fs';
import { chmod, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { eventually } from '../../../test/testing/eventually.ts';
import type { TreeSource } from '../../build/files/tree-source.ts';
import { readAll } from '../../copy/testing/images.ts';
import { identityOf, isAlive, type ProcessIdentity } from '../../io/concurrency/process-identity.ts';
import { oneChunk } from '../../io/streams/one-chunk.ts';
import { findPath } from '../../rootfs/tree.ts';
import { readTar } from '../../tar/reader.ts';
import { wholeSeconds } from '../../tar/time.ts';
import type { Settings } from '../settings.ts';
import { type OverlayImage, overlayImage } from '../testing/overlay-image.ts';
import { type TemporaryWorld, temporaryWorld } from '../testing/temporary-world.ts';
import { runTarScript } from './run-tar-script.ts';

const time = wholeSeconds(1_700_000_000);
const spoolOf = ({ path }: TemporaryWorld) => join(path, 'spool');

async function run(world: TemporaryWorld, image: OverlayImage = {}, settings: Settings = world.settings()) {
  const said: string[] = [];
  const directory = await overlayImage(world, 'image', image);
  const onOutput = (chunk: Uint8Array) => said.push(String(Buffer.from(chunk)));
  const running = await runTarScript(directory, settings, { spool: spoolOf(world), time, onOutput });
  return { running, said, script: join(directory, 'tar') };
}

/** The names in the archive that the script wrote. */
async function namesIn(context: TreeSource): Promise<readonly string[]> {
  const node = findPath(context.tree, 'ovl.tar')?.node;
  const archive = node && (await context.archive(node.inode));
  if (!archive) throw new Error('no ovl.tar');
  const names: string[] = [];
  for await (const { name } of readTar(oneChunk(await readAll(await archive.open())))) names.push(name);
  return names;
}

/** The process whose pid a script writes into the file, for scripts that do not end. */
async function processIn(file: string): Promise<ProcessIdentity> {
  const pid = await eventually(async () => existsSync(file) && (await readFile(file, 'utf8')));
  const identity = identityOf(Number(pid));
  if (identity === undefined) throw new Error('it has ended already');
  return identity;
}

describe('the tar script', () => {
  it('makes the file ovl.tar of the context, and its output is passed on', async () => {
    await using world = await temporaryWorld();
    const { running, said } = await run(world);
    await using _running = running;
    const context = await running.context;
    expect(await namesIn(context)).toEqual(['etc/', 'etc/motd']);
    expect(findPath(context.tree, 'ovl.tar')?.node.inode.entry?.mtime).toEqual(time);
    expect(said.join('')).toBe('said\n');
    // The archive is in an unnamed file, and the pipes had names for a moment only.
    expect(await readdir(spoolOf(world))).toEqual([]);
  });

  it('may open its output by name, and has the environment of the user', async () => {
    await using world = await temporaryWorld();
    const script = 'cat "$0.archive" >/dev/stdout; echo "$COLOUR" >/dev/stderr';
    const { running, said } = await run(world, { script }, world.settings({ COLOUR: 'blue' }));
    await using _running = running;
    expect(await namesIn(await running.context)).toEqual(['etc/', 'etc/motd']);
    expect(said.join('')).toBe('blue\n');
  });

  it.each([
    ['ends with a status', 'cat "$0.archive"; exit 3', 'exit status 3'],
    ['is killed', 'kill -9 $$', 'signal SIGKILL'],
    ['wrote no archive, too', 'echo text; exit 4', 'exit status 4'],
  ])('that %s fails the build', async (_, script, how) => {
    await using world = await temporaryWorld();
    const { running, script: path } = await run(world, { script });
    await using _running = running;
    await expect(running.context).rejects.toMatchObject({
      code: 'BUILD_FAILED',
      message: `the \`tar\` script failed [${path}: ${how}]`,
      hint: 'What it said is above.',
    });
  });

  it.each([
    ['nothing', 'true', 'the tar script wrote nothing'],
    ['text', 'echo text', 'no tar archive'],
    ['an archive of nothing', 'head -c 1024 /dev/zero', 'the tar script wrote an archive of nothing'],
  ])('that writes %s fails the build', async (_, script, message) => {
    await using world = await temporaryWorld();
    const { running } = await run(world, { script });
    await using _running = running;
    await expect(running.context).rejects.toMatchObject({
      code: 'BUILD_FAILED',
      message: expect.stringContaining(message),
    });
  });

  it('that cannot be run is reported, with what its first line has to be', async () => {
    await using world = await temporaryWorld();
    const directory = await overlayImage(world, 'image');
    await writeFile(join(directory, 'tar'), '#! /bin/sh\r\ntrue\n');
    await using running = await runTarScript(directory, world.settings(), { spool: spoolOf(world), time });
    await expect(running.context).rejects.toMatchObject({
      code: 'BUILD_FAILED',
      message: `the \`tar\` script cannot be run [${directory}/tar]`,
      hint: expect.stringContaining('not CR LF'),
    });
  });

  it('that is missing, not a file, or not executable is reported before anything is made', async () => {
    await using world = await temporaryWorld();
    const directory = await overlayImage(world, 'image');
    await chmod(join(directory, 'tar'), 0o644);
    await world.file('directory/tar/file', '');
    for (const [where, message] of [
      [world.path, `no \`tar\` script [${world.path}/tar]`],
      [join(world.path, 'directory'), `no \`tar\` script [${world.path}/directory/tar]`],
      [directory, `the \`tar\` script is not executable [${directory}/tar]`],
    ] as const) {
      await expect(runTarScript(where, world.settings(), { spool: spoolOf(world), time })).rejects.toMatchObject({
        code: 'FILE_UNREADABLE',
        message,
      });
    }
    expect(existsSync(spoolOf(world))).toBe(false);
  });
});

describe('a script that does not end by itself', () => {
  const WAITS = 'sleep 100 & echo $! >"$0.child"; echo $$ >"$0.pid"; wait';

  it('is ended by the signal, with its children', async () => {
    await using world = await temporaryWorld();
    const end = new AbortController();
    const { running, script } = await run(world, { script: WAITS }, world.settings({}, { signal: end.signal }));
    await using _running = running;
    const processes = [await processIn(`${script}.pid`), await processIn(`${script}.child`)];
    end.abort(new Error('enough'));
    await expect(running.context).rejects.toThrow('enough');
    await running[Symbol.asyncDispose]();
    expect(processes.filter(isAlive)).toEqual([]);
  });

  it('is ended when nobody needs its output any more', async () => {
    await using world = await temporaryWorld();
    const { running, script } = await run(world, { script: WAITS });
    const processes = [await processIn(`${script}.pid`), await processIn(`${script}.child`)];
    await running[Symbol.asyncDispose]();
    expect(processes.filter(isAlive)).toEqual([]);
    expect(await readdir(spoolOf(world))).toEqual([]);
  });
});
