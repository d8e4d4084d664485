import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { describe, expect, it } from 'vitest';
import { temporaryDirectory } from '../../../test/peers/temporary.ts';
import { type ReopenablePipe, readPipe, reopenablePipes } from './reopenable-pipe.ts';

describe('a pipe for a child', () => {
  it('can be opened again by /dev/stdout and the like, and leaves no file', async () => {
    await using directory = await temporaryDirectory('pipe');
    // In the first directory, which is missing, no pipe can be made.
    const [pipe] = (await reopenablePipes([join(directory.path, 'none'), directory.path], 1)) as [ReopenablePipe];
    expect(await readdir(directory.path)).toEqual([]);
    const script = 'echo 1; echo 2 >/dev/stdout; echo 3 >/proc/self/fd/1; [ -p /dev/stdout ] && echo 4';
    const child = spawn('sh', ['-c', script], { stdio: ['ignore', pipe.writing, 'inherit'] });
    closeSync(pipe.writing);
    const said = text(readPipe(pipe.reading));
    await once(child, 'exit');
    expect(await said).toBe('1\n2\n3\n4\n');
  });

  it('that cannot be made is reported with the reason', async () => {
    await expect(reopenablePipes(['/no/such/directory'], 1)).rejects.toMatchObject({
      code: 'RUN_UNAVAILABLE',
      message: expect.stringContaining('/no/such/directory'),
    });
  });
});
