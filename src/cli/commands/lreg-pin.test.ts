import { expect, it } from 'vitest';
import { putImage } from '../../server/testing/content.ts';
import { tagLinkKey } from '../../storage/layout/registry-keys.ts';
import { testProgram } from '../testing/program.ts';

async function filled() {
  const program = await testProgram();
  const store = await program.store();
  await putImage(store.registry, 'team/app', '1');
  await putImage(store.registry, 'library/alpine', 'latest');
  return { ...program, store };
}

it('lreg_pin lists pins, and lreg_unpin removes them', async () => {
  const { must, store } = await filled();
  expect(await must('lreg_pin')).toBe('');
  expect(await must('lreg_pin', 'team/app:1', '"alpine"')).toBe('');
  await store.objects.delete([tagLinkKey('team/app', '1')]);
  expect(await must('lreg_pin')).toBe('library/alpine:latest\nteam/app:1 (no longer there)\n');
  expect(await must('lreg_unpin', 'team/app:1')).toBe('');
  expect(JSON.parse(await must('lreg_pin', '--json'))).toMatchObject([
    { repository: 'library/alpine', reference: 'latest', digest: expect.any(String) },
  ]);
});

it('lreg_pin --json says which names were pinned', async () => {
  const { must } = await filled();
  expect(JSON.parse(await must('lreg_pin', '--json', 'alpine'))).toEqual({ pinned: ['library/alpine:latest'] });
  expect(JSON.parse(await must('lreg_unpin', '--json', 'alpine'))).toEqual({ unpinned: ['library/alpine:latest'] });
});
