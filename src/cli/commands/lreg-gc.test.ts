// What is garbage is tested in storage/collector, where it is collected in tasks/private-registry.
import { afterEach, expect, it, vi } from 'vitest';
import { ageStore } from '../../../test/e2e/testing/age-store.ts';
import { blob, index, putBlob, putImage } from '../../server/testing/content.ts';
import { testProgram } from '../testing/program.ts';

const DAY = 24 * 3600_000;

afterEach(() => void vi.useRealTimers());

/** `team/app` has an image that was `1` and one that was `2` and is deleted, and `ci/app` two tags of which no rule keeps the first; ten days old. */
async function filled(options: Parameters<typeof testProgram>[0] = {}) {
  const program = await testProgram(options);
  const { registry } = await program.store();
  const was = await putImage(registry, 'team/app', '1');
  const list = index([was.manifest]);
  await registry.putManifest('team/app', list, ['multi']);
  for (const tag of ['1', 'multi']) await putImage(registry, 'team/app', tag);
  await putImage(registry, 'ci/app', 'pr-1');
  await ageStore(program.data, 1);
  await putImage(registry, 'ci/app', 'pr-2');
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 10 * DAY });
  await program.world.file('data/registry.toml', '[[keep]]\nimages = "ci/**"\nnewest = 1\n');
  return { ...program, registry, was, list, gc: (...args: readonly string[]) => program.must('lreg_gc', ...args) };
}

it('lreg_gc says what it removes, and how much it frees', async () => {
  const { gc, was, list } = await filled();
  const would = await gc('--dry-run');
  expect(would.split('\n').slice(0, -2).sort()).toEqual(
    [
      expect.stringMatching(/^Would remove ci\/app:pr-1 \(no rule keeps it; sha256:\w{64}\)$/),
      `Would remove team/app@${was.manifest.digest} (image, was 1)`,
      `Would remove team/app@${list.digest} (index, was multi)`,
    ].sort((a, b) => (String(a) < String(b) ? -1 : 1)),
  );
  expect(would).toMatch(/\nWould free \d\.\d kB in \d blobs\.\n$/);
  const done = await gc();
  expect(done).toMatch(/\nFreed \d\.\d kB in \d blobs\.\n$/);
  expect(done.replaceAll('Removed', 'Would remove').replace('Freed', 'Would free')).toBe(would);
  expect(await gc()).toBe('Freed 0 B in 0 blobs.\n');
});

it('lreg_gc keeps what its options exclude', async () => {
  const { gc } = await filled();
  expect(await gc('--keep-untagged', '--no-retention')).toBe('Freed 0 B in 0 blobs.\n');
  expect(await gc('--older-than=30d', '--no-retention')).toBe('Freed 0 B in 0 blobs.\n');
  expect(await gc('--older-than=2d', '--no-retention')).not.toContain('ci/app');
});

it('lreg_gc says what can be freed in a day', async () => {
  const { gc, registry } = await filled();
  vi.useRealTimers();
  await putBlob(registry, 'team/app', blob());
  expect(await gc('--no-retention', '--keep-untagged')).toMatch(
    /^Freed 0 B in 0 blobs\.\nIn a day: 1\.0 kB in 1 blob that nothing names; /,
  );
});

it('lreg_gc --json says the same', async () => {
  const { gc, data, was } = await filled();
  const answer = JSON.parse(await gc('--json', '--dry-run'));
  expect(answer).toMatchObject({ dryRun: true, data, tags: [{ tag: 'pr-1' }], isMore: false });
  expect(answer.manifests).toContainEqual(expect.objectContaining({ digest: was.manifest.digest, tags: ['1'] }));
});

it('lreg_gc takes ages as people write them', async () => {
  const { gc } = await filled();
  await expect(gc('--older-than=soon')).rejects.toMatchObject({ code: 'USAGE' });
});

it('lreg_gc shows its progress on a terminal, and removes it at the end', async () => {
  const { gc, drawn } = await filled({ isTTY: true });
  await gc();
  expect(drawn()).toContain('Reading the manifests of');
});
