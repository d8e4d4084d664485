import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { temporaryWorld } from '../../tasks/testing/temporary-world.ts';
import { archiveOut, claimStdout, isStdout } from './archive-out.ts';

it.each([
  ['-', true],
  ['/dev/stdout', true],
  ['/dev/fd/1', true],
  ['docker-archive:-', true],
  ['oci-archive:/proc/self/fd/1:name', true],
  ['/dev/fd/2', false],
  ['-x', false],
  ['docker-archive:-x', false],
  ['docker://-', false],
  ['file.tar', false],
])('[%s] is standard output: %s', (location, expected) => {
  expect(isStdout(location)).toBe(expected);
});

it('only one thing goes to standard output', () => {
  expect(() => claimStdout('-', '--json')).toThrow('both the archive and --json go to stdout [-]');
});

it('a file appears when it is whole', async () => {
  await using world = await temporaryWorld();
  const file = join(world.path, 'out.tar');
  await archiveOut(
    file,
    'An archive',
  )(
    (async function* () {
      yield Buffer.from('ab');
      await expect(readFile(file)).rejects.toMatchObject({ code: 'ENOENT' });
      yield Buffer.from('cd');
    })(),
  );
  expect(await readFile(file, 'utf8')).toBe('abcd');
});
