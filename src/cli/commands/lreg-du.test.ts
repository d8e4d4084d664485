// What is measured is tested in storage/space and tasks/private-registry.
import { expect, it } from 'vitest';
import { putImage } from '../../server/testing/content.ts';
import { takeSample } from '../../storage/repositories/space-samples.ts';
import { testProgram } from '../testing/program.ts';

async function filled(options: Parameters<typeof testProgram>[0] = {}) {
  const program = await testProgram(options);
  const store = await program.store();
  const app = await putImage(store.registry, 'team/app', '1');
  await putImage(store.registry, 'team/app', '2', app);
  await putImage(store.registry, 'library/alpine', '3');
  return { ...program, store, du: (...args: readonly string[]) => program.must('lreg_du', ...args) };
}

it('lreg_du has a row for each repository and each image, and the sums of the store', async () => {
  const { du } = await filled();
  const lines = (await du()).split('\n');
  const names = lines.slice(0, lines.indexOf('')).map((line) => line.slice(52));
  expect(names).toEqual(['IMAGE', 'library/alpine', '  :3', 'team/app', '  :1', '  :2']);
  expect(lines[0]).toBe('       SIZE          OWN       SHARED  RECLAIMABLE  IMAGE');
  const sums = lines.slice(lines.indexOf('') + 1).map((line) => line.split(/ +/)[0]);
  expect(sums).toEqual(['total', 'images', 'builds', 'former', 'unnamed', 'uploads', 'reclaimable', '']);
  expect(lines.find((line) => line.startsWith('total'))).toMatch(/^total {8}\d\.\d kB in 5 blobs$/);
  expect(lines.find((line) => line.startsWith('reclaimable'))).toBe(
    'reclaimable  0 B now (`images lreg_gc`), 0 B later',
  );
});

it('lreg_du has rows for what is named, and the sums of the whole store', async () => {
  const { du } = await filled();
  const text = await du('team/app:1');
  expect(text).toContain('team/app\n');
  expect(text).not.toMatch(/alpine|:2\n/);
  expect(text).toContain(' in 5 blobs\n');
});

it('lreg_du --json prints one value, even without images', async () => {
  const { du, data } = await filled();
  const { repositories, ...all } = JSON.parse(await du('--json'));
  expect(all).toMatchObject({ data, total: { blobs: 5, reclaimable: { now: 0, later: 0 } } });
  expect(repositories.map(({ repository }: { repository: string }) => repository)).toEqual([
    'library/alpine',
    'team/app',
  ]);
  expect(JSON.parse(await du('--json', 'no/**')).repositories).toEqual([]);
});

it('lreg_du --history has a row for each day', async () => {
  const { du, store } = await filled();
  expect(await du('--history')).toBe('');
  await takeSample(store, { now: new Date('2026-01-02T03:04:05Z'), step: async () => undefined });
  expect(await du('--history')).toMatch(/^ 2026-01-02 +\d\.\d kB {2}5 blobs\n$/);
  expect(JSON.parse(await du('--history', '--json'))).toMatchObject([{ at: '2026-01-02T03:04:05.000Z', blobs: 5 }]);
});

it('lreg_du shows on a terminal what it reads, and removes that at the end', async () => {
  const { du, drawn } = await filled({ isTTY: true });
  await du();
  expect(drawn()).toContain('Reading the manifests of library');
});

it('lreg_du prints nothing for a store that does not exist', async () => {
  const { du, printed, data } = await filled();
  await expect(du(`--data=${data}-none`)).rejects.toMatchObject({ code: 'NO_REGISTRY' });
  expect(printed()).toBe('');
});
