import { expect, it } from 'vitest';
import { putImage } from '../../server/testing/content.ts';
import { pullCounts } from '../../storage/repositories/pull-records.ts';
import { testProgram } from '../testing/program.ts';

async function filled() {
  const program = await testProgram();
  const store = await program.store();
  const app = await putImage(store.registry, 'team/app', '1');
  await putImage(store.registry, 'team/app', '2', app);
  await putImage(store.registry, 'alpine', '3');
  await store.names.set('quay.io', 'team/app', '1', app.manifest.digest);
  return { ...program, store, digest: app.manifest.digest };
}

it('lreg_ls prints each repository with its tags', async () => {
  const { must } = await filled();
  expect(await must('lreg_ls')).toBe('alpine:\n  ["3"]\nteam/app:\n  ["1","2"]\n');
  expect(await must('lreg_ls', '--hosts')).toBe('alpine:\n  ["3"]\nquay.io/team/app:\n  ["1"]\nteam/app:\n  ["2"]\n');
});

it('lreg_ls --json has the pulls as well', async () => {
  const { must, store, digest } = await filled();
  const counts = pullCounts();
  counts.count({ repository: 'team/app', digest, by: 'tag' });
  await counts.flush(store.objects);
  const pulls = { byTag: 1, byDigest: 0, last: expect.any(String) };
  expect(JSON.parse(await must('lreg_ls', '--json'))).toEqual([
    { name: 'alpine', tags: ['3'] },
    { name: 'team/app', tags: ['1', '2'], pulls: { '1': pulls, '2': pulls } },
  ]);
});

it('lreg_ls prints nothing for an empty store', async () => {
  const { must, store } = await filled();
  for (const [name, tag] of [
    ['team/app', '1'],
    ['team/app', '2'],
    ['alpine', '3'],
  ] as const)
    await store.registry.deleteTag(name, tag, { unneeded: true });
  expect(await must('lreg_ls')).toBe('');
  expect(JSON.parse(await must('lreg_ls', '--json'))).toEqual([]);
});
