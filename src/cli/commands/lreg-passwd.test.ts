import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it, vi } from 'vitest';
import * as secrets from '../process/secrets.ts';
import { type TestProgramOptions, testProgram } from '../testing/program.ts';

async function withFile(options: TestProgramOptions = {}) {
  const program = await testProgram(options);
  const file = join(program.world.path, 'users');
  return { ...program, file, text: () => readFile(file, 'utf8') };
}

/** What is typed, one answer after the other. */
function typed(...answers: readonly string[]) {
  const spy = vi.spyOn(secrets, 'askForText');
  for (const answer of answers) spy.mockResolvedValueOnce(answer);
  return spy;
}

it('lreg_passwd takes the password from standard input, and removes the user again', async () => {
  const { must, noted, file, text } = await withFile({ stdin: 'one\n' });
  await must('lreg_passwd', `--file=${file}`, '--password-stdin', 'anna');
  expect(await text()).toMatch(/^anna:\$2[aby]\$\d\d\$\S{53}\n$/);
  await must('lreg_passwd', `--file=${file}`, '--delete', 'anna');
  expect(await text()).toBe('');
  expect(noted()).toEqual([`Set the password of anna in ${file}.`, `Removed anna in ${file}.`]);
});

it('lreg_passwd lets a person type the password twice', async () => {
  const { must, file, text } = await withFile();
  const spy = typed('one', 'one');
  await must('lreg_passwd', `--file=${file}`, 'anna');
  expect(await text()).toMatch(/^anna:\$2/);
  expect(spy.mock.calls.map(([, question, options]) => [question, options])).toEqual([
    ['Password: ', { hidden: true }],
    ['The same again: ', { hidden: true }],
  ]);
});

it('lreg_passwd changes nothing if the two passwords differ, or nobody can type', async () => {
  const { run, file, text } = await withFile();
  typed('one', 'two');
  await expect(run('lreg_passwd', `--file=${file}`, 'anna')).rejects.toMatchObject({
    code: 'USAGE',
    message: 'the two passwords differ',
  });
  await expect(run('lreg_passwd', `--file=${file}`, 'anna')).rejects.toMatchObject({
    code: 'USAGE',
    message: 'nobody is there to type a password',
  });
  await expect(text()).rejects.toMatchObject({ code: 'ENOENT' });
});
