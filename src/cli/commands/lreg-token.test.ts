import { expect, it } from 'vitest';
import { testProgram } from '../testing/program.ts';

/** With a store, which tokens are for. */
async function withStore() {
  const program = await testProgram();
  await program.store();
  return program;
}

it('lreg_token prints a token alone, and says beside it how it is used', async () => {
  const { must, noted } = await withStore();
  expect(await must('lreg_token', '--name=ci', '--push=ci/**', '--days=2')).toMatch(/^\S+\n$/);
  expect(noted()).toEqual([
    expect.stringMatching(/^For ci until \d{4}-\d\d-\d\d\. Log in as user token, with this as the password\.$/),
  ]);
});

it('lreg_token lists what tokens may do, and no longer those that were revoked', async () => {
  const { must, noted } = await withStore();
  const { id } = JSON.parse(await must('lreg_token', '--json', '--name=ci', '--push=ci/**', '--delete=old/*'));
  await must('lreg_token', '--pull=**');
  noted();
  const lines = (await must('lreg_token', '--list')).split('\n');
  expect(lines.find((line) => line.startsWith(id))).toMatch(/ci: pull\+push ci\/\*\*, pull\+delete old\/\*$/);
  expect(JSON.parse(await must('lreg_token', '--list', '--json')).map(({ name }: { name: string }) => name)).toEqual(
    expect.arrayContaining(['ci', 'token']),
  );
  await must('lreg_token', `--revoke=${id}`);
  expect(noted()).toEqual([`Revoked ci (${id}).`]);
  expect(await must('lreg_token', '--list')).toMatch(/^\S+ {2}until \S+ {2}token: pull \*\*\n$/);
});

it.each(['0', '-1', 'x', '1.5'])('lreg_token refuses --days=%s', async (days) => {
  const { run } = await withStore();
  await expect(run('lreg_token', '--pull=a', `--days=${days}`)).rejects.toMatchObject({ code: 'USAGE' });
});
