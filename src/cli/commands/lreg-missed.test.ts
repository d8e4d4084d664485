import { expect, it } from 'vitest';
import { putImage } from '../../server/testing/content.ts';
import { missCounts } from '../../storage/repositories/missed-images.ts';
import { testProgram } from '../testing/program.ts';

it('lreg_missed prints references, one a line; --json all that is known; --clear forgets them', async () => {
  const { must, store } = await testProgram();
  const { objects } = await store();
  await putImage((await store()).registry, 'team/app', '1');
  expect(await must('lreg_missed')).toBe('');
  const counts = missCounts();
  counts.count({ reference: 'quay.io/org/app:1', host: 'quay.io', asker: '10.0.0.1' });
  counts.count({ reference: 'org/app:2', asker: '10.0.0.2' });
  await counts.flush(objects);
  expect(await must('lreg_missed')).toBe('quay.io/org/app:1\norg/app:2\n');
  expect(JSON.parse(await must('lreg_missed', '--json'))).toMatchObject([
    { reference: 'quay.io/org/app:1', host: 'quay.io', asker: '10.0.0.1', count: 1, last: expect.any(String) },
    { reference: 'org/app:2' },
  ]);
  expect(await must('lreg_missed', '--clear')).toBe('');
  expect(await must('lreg_missed')).toBe('');
});
