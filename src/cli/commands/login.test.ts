// What `login` and `logout` print. That credentials are tried and kept is tested in tasks/transfer, with real clients in test/e2e.
import { expect, it, vi } from 'vitest';
import * as task from '../../tasks/transfer/login.ts';
import * as secrets from '../process/secrets.ts';
import { testProgram } from '../testing/program.ts';

it('login takes the password from standard input, and says where the credentials are', async () => {
  const { must, noted } = await testProgram({ stdin: 'secret\n' });
  const spy = vi.spyOn(task, 'logIn').mockResolvedValue({ host: 'r.io', isTried: true, file: '/auth.json' });
  await must('login', '--username=me', '--password-stdin', '--authfile=/auth.json', 'r.io');
  expect(spy.mock.calls[0]?.[0]).toEqual({ host: 'r.io', username: 'me', password: 'secret', file: '/auth.json' });
  expect(noted()).toEqual(['Logged in to r.io; the credentials are in /auth.json.']);
});

it('login takes both from the command line, as docker does, and says who can see that', async () => {
  const { must, run, noted } = await testProgram();
  const spy = vi.spyOn(task, 'logIn').mockResolvedValue({ host: 'r.io', isTried: true, file: '/auth.json' });
  await must('login', '-u', 'me', '-p', 'secret', 'r.io');
  expect(spy.mock.calls[0]?.[0]).toEqual({ host: 'r.io', username: 'me', password: 'secret' });
  expect(noted()[0]).toContain('can see a password');
  expect(noted().join()).not.toContain('secret');
  await expect(run('login', '-u', 'me', '-p', 'secret', '--password-stdin', 'r.io')).rejects.toMatchObject({
    code: 'USAGE',
    message: 'the password is given twice',
  });
});

it('login asks a person for both', async () => {
  const { must } = await testProgram();
  vi.spyOn(secrets, 'askForText').mockResolvedValueOnce('me').mockResolvedValueOnce('secret');
  const spy = vi.spyOn(task, 'logIn').mockResolvedValue({ host: 'r.io', isTried: true, file: '/auth.json' });
  const done = JSON.parse(await must('login', '--json', 'r.io'));
  expect(spy.mock.calls[0]?.[0]).toEqual({ host: 'r.io', username: 'me', password: 'secret' });
  expect(done).toEqual({ host: 'r.io', isTried: true, file: '/auth.json' });
});

it('login says if the password was not tried, and which helper has it', async () => {
  const { must, noted } = await testProgram({ stdin: 'secret' });
  vi.spyOn(task, 'logIn').mockResolvedValue({ host: 'r.io', isTried: false, file: '/auth.json', helper: 'pass' });
  await must('login', '--username=me', '--password-stdin', 'r.io');
  expect(noted()).toEqual([
    'r.io lets everybody in: the password was not tried; it is in docker-credential-pass, which /auth.json names.',
  ]);
});

it('login needs somebody to type where the password is not on standard input', async () => {
  const { run } = await testProgram();
  await expect(run('login', '--username=me', 'r.io')).rejects.toMatchObject({
    code: 'USAGE',
    hint: expect.stringContaining('--password-stdin'),
  });
});

it('logout says whether there were credentials', async () => {
  const { must, noted } = await testProgram();
  const spy = vi.spyOn(task, 'logOut');
  spy.mockResolvedValueOnce({ host: 'r.io', files: ['/a'] }).mockResolvedValueOnce({ host: 'r.io', files: [] });
  await must('logout', 'r.io');
  await must('logout', '--authfile=/a', 'r.io');
  expect(noted()).toEqual(['Logged out of r.io.', 'There are no credentials for r.io.']);
  spy.mockResolvedValueOnce({ host: 'r.io', files: [] });
  expect(JSON.parse(await must('logout', '--json', 'r.io'))).toEqual({ host: 'r.io', files: [] });
});
