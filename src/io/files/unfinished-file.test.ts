import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, utimes, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { expect, it } from 'vitest';
import { temporaryDirectory } from '../../../test/peers/temporary.ts';
import { identityOf } from '../concurrency/process-identity.ts';
import { unfinishedPath } from './unfinished-file.ts';

it('unfinished files have different names, and those of processes that are gone are removed', async () => {
  await using directory = await temporaryDirectory('unfinished');
  const at = (name: string) => join(directory.path, name);
  const other = spawn('sleep', ['60']);
  await once(other, 'spawn');
  const identity = identityOf(other.pid ?? 0);
  const own = basename(await unfinishedPath(at('f')));
  const old = ['f', own, `.f.${identity}~1`, '.f.1234.5.00000000-0000~1', '.f.x~1', '.g.1234.5.00000000-0000~1'];
  for (const name of [...old, '.f.1234.5.00000000-0000~2']) await writeFile(at(name), '');
  const longAgo = new Date(Date.now() - 3_600_000);
  for (const name of old) await utimes(at(name), longAgo, longAgo);
  const next = basename(await unfinishedPath(at('f')));
  // Files of a running process, of one that may run on another machine and wrote a moment ago, and other files.
  const kept = old.filter((name) => name !== '.f.1234.5.00000000-0000~1');
  expect((await readdir(directory.path)).sort()).toEqual([...kept, '.f.1234.5.00000000-0000~2'].sort());
  expect(next).not.toBe(own);

  const ended = once(other, 'exit');
  other.kill();
  await ended;
  await unfinishedPath(at('f'));
  expect(await readdir(directory.path)).not.toContain(`.f.${identity}~1`);
});

it('a missing directory is no error before the file is written', async () => {
  await using directory = await temporaryDirectory('unfinished');
  expect(await unfinishedPath(join(directory.path, 'none/f'))).toContain('none/.f.');
});
