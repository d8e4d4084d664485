// Which images a pattern means is tested in tasks/private-registry, and what goes with them.
import { expect, it, vi } from 'vitest';
import { ageStore } from '../../../test/e2e/testing/age-store.ts';
import { image, putImage } from '../../server/testing/content.ts';
import * as ask from '../process/ask.ts';
import { testProgram } from '../testing/program.ts';

async function filled(options: Parameters<typeof testProgram>[0] = {}) {
  const program = await testProgram(options);
  const { registry } = await program.store();
  const content = image();
  for (const tag of ['pr-1', 'pr-2', 'v1']) await putImage(registry, 'ci/app', tag, content);
  const tags = () => Array.fromAsync(registry.tags('ci/app'));
  return { ...program, registry, content, tags };
}

/** What the user says when he is asked; `undefined`: he cannot be asked. */
function answering(answer: boolean | undefined, meanwhile = async () => {}) {
  return vi.spyOn(ask, 'askOnTerminal').mockImplementation(async () => {
    await meanwhile();
    return answer;
  });
}

it('lreg_rm removes names as they are given, and prints nothing', async () => {
  const { must, tags } = await filled();
  expect(await must('lreg_rm', 'ci/app:pr-1', '"ci/app:v1"')).toBe('');
  expect(await tags()).toEqual(['pr-2']);
});

it('lreg_rm removes what a pattern matches only if the user says yes', async () => {
  const { run, printed, noted, tags } = await filled({ isTTY: true });
  const asked = answering(false);
  expect(await run('lreg_rm', 'ci/*:pr-*')).toBe(1);
  expect(asked.mock.calls[0]?.[1]).toBe('Remove these 2 images?');
  expect([noted(), printed(), await tags()]).toEqual([['  ci/app:pr-1', '  ci/app:pr-2'], '', ['pr-1', 'pr-2', 'v1']]);
  answering(true);
  expect(await run('lreg_rm', 'ci/*:pr-?')).toBe(0);
  expect([printed(), await tags()]).toEqual(['Removed ci/app:pr-1\nRemoved ci/app:pr-2\n', ['v1']]);
  vi.restoreAllMocks();
});

it('lreg_rm needs --yes if nobody can be asked', async () => {
  const { run, must, tags } = await filled();
  await expect(run('lreg_rm', 'ci/*:v*')).rejects.toMatchObject({
    code: 'USAGE',
    message: '1 image would go, and nobody can be asked',
  });
  expect(await tags()).toHaveLength(3);
  expect(await must('lreg_rm', '--yes', 'ci/*:v*')).toBe('Removed ci/app:v1\n');
  expect(await tags()).toHaveLength(2);
});

it('lreg_rm --dry-run removes nothing, and asks nobody', async () => {
  const { run, must, tags } = await filled();
  expect(await must('lreg_rm', '--dry-run', 'ci/*:pr-*')).toBe('Would remove ci/app:pr-1\nWould remove ci/app:pr-2\n');
  expect(await must('lreg_rm', '--dry-run', 'ci/app:v1')).toBe('Would remove ci/app:v1\n');
  await expect(run('lreg_rm', '--dry-run', 'ci/app:none')).rejects.toMatchObject({ code: 'MANIFEST_UNKNOWN' });
  expect(JSON.parse(await must('lreg_rm', '--dry-run', '--json', 'ci/app:v1'))).toEqual({
    dryRun: true,
    removed: ['ci/app:v1'],
  });
  expect(await tags()).toHaveLength(3);
});

it('lreg_rm reports that nothing matches', async () => {
  const { must, noted } = await filled();
  expect(await must('lreg_rm', 'other/*:*')).toBe('');
  expect(noted()).toEqual(['Nothing matches.']);
  expect(JSON.parse(await must('lreg_rm', '--json', 'other/*:*'))).toEqual({ removed: [] });
});

it('lreg_rm --older-than keeps what was used since, and says when the others were used', async () => {
  const { must, data, registry, content, tags } = await filled();
  await ageStore(data, 40);
  await putImage(registry, 'ci/app', 'pr-2', content);
  expect(await must('lreg_rm', '--older-than=30d', '--yes', 'ci/*:pr-*')).toMatch(
    /^Removed ci\/app:pr-1 \(last pushed or pulled \d{4}-\d\d-\d\d\)\n$/,
  );
  expect(await tags()).toEqual(['pr-2', 'v1']);
  await expect(must('lreg_rm', '--older-than=old', 'ci/app:v1')).rejects.toMatchObject({ code: 'USAGE' });
});

it('lreg_rm keeps what was pushed while the user was asked', async () => {
  const { must, data, registry, content, tags } = await filled({ isTTY: true });
  // Longer without any activity, and the clock is thought to have jumped.
  await ageStore(data, 31);
  answering(true, async () => void (await putImage(registry, 'ci/app', 'pr-2', content)));
  expect(await must('lreg_rm', '--older-than=30d', 'ci/*:pr-*')).toContain('Removed ci/app:pr-1');
  expect(await tags()).toEqual(['pr-2', 'v1']);
  vi.restoreAllMocks();
});

it('lreg_rm leaves what is pinned where a pattern means it; one that is named is refused before anything goes', async () => {
  const { must, run, tags, noted } = await filled();
  await must('lreg_pin', 'ci/app:pr-2');
  noted();
  await expect(run('lreg_rm', 'ci/app:pr-1', 'ci/app:pr-2')).rejects.toMatchObject({ code: 'DENIED' });
  await expect(run('lreg_rm', '--dry-run', 'ci/app:pr-2')).rejects.toMatchObject({ code: 'DENIED' });
  await expect(run('lreg_rm', '--yes', 'ci/app:v*', 'ci/app:pr-2')).rejects.toMatchObject({ code: 'DENIED' });
  expect(await tags()).toEqual(['pr-1', 'pr-2', 'v1']);
  for (const [how, said] of [
    ['--dry-run', 'Would remove'],
    ['--yes', 'Removed'],
  ] as const) {
    expect(await must('lreg_rm', 'ci/app:pr-*', how)).toBe(`${said} ci/app:pr-1\n`);
    expect(noted()).toEqual(['Stays, because it is pinned: ci/app:pr-2']);
  }
  const left = JSON.parse(await must('lreg_rm', 'ci/app:pr-*', '--yes', '--json'));
  expect(left).toEqual({ removed: [], pinned: ['ci/app:pr-2'] });
  expect(await must('lreg_rm', 'ci/app:pr-*', '--yes', '--force')).toBe('Removed ci/app:pr-2\n');
  expect(await tags()).toEqual(['v1']);
});

it('lreg_rm removes pinned images only with --force', async () => {
  const { run, must, tags } = await filled();
  await must('lreg_pin', 'ci/app:v1');
  await expect(run('lreg_rm', 'ci/app:v1')).rejects.toMatchObject({ code: 'DENIED' });
  await must('lreg_rm', '--force', 'ci/app:v1');
  expect(await tags()).toEqual(['pr-1', 'pr-2']);
});
