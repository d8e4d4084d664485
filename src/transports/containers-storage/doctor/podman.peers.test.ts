// Stores that podman itself wrote: nothing is wrong with them, whatever was done in them.
import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { needs } from '../../../../test/peers/find.ts';
import { must } from '../../../../test/peers/process.ts';
import { temporaryDirectory } from '../../../../test/peers/temporary.ts';
import { examineStore } from './check-store.ts';

const { missing, why } = needs('root', 'podman', 'tar');

it.skipIf(missing)(`the doctor finds nothing wrong with a store of podman with a container${why}`, async () => {
  await using scratch = await temporaryDirectory('doctor-podman');
  const at = (name: string) => join(scratch.path, name);
  const podman = (...args: readonly string[]) =>
    must('podman', [`--root=${at('root')}`, `--runroot=${at('run')}`, '--storage-driver=overlay', ...args], {
      cwd: scratch.path,
    });
  await writeFile(at('a'), 'a');
  await writeFile(at('Containerfile'), 'FROM scratch\nCOPY a /a\nCOPY a /b\n');
  try {
    await podman('build', '-q', '-t', 'localhost/x:1', '.');
    await podman('create', 'localhost/x:1', '/a');
    await podman('image', 'mount', 'localhost/x:1');
    await podman('image', 'unmount', '--all');
    await must('tar', ['--xattrs', '--xattrs-include=*', '-cf', at('store.tar'), '-C', scratch.path, 'root']);
    const parts = await examineStore(at('store.tar'), { temporaryDirectory: tmpdir() });
    expect(parts.flatMap(({ what, problems }) => problems.map(({ text }) => `${what}: ${text}`))).toEqual([]);
    expect(parts.map(({ what }) => what)).toContain('image localhost/x:1');
  } finally {
    await podman('rm', '--all', '--force');
  }
});
