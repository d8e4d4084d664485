// What the completion scripts ask for. How a line is completed is tested in grammar/.
import { expect, it } from 'vitest';
import { buildImage, layerOf } from '../../../test/fixtures/image.ts';
import { putFixture } from '../../tasks/testing/hosts-and-store.ts';
import { testProgram } from '../testing/program.ts';

async function filled() {
  const program = await testProgram();
  const { stripped } = await program.store();
  const layer = layerOf([{ name: 'etc/' }, { name: 'etc/motd', data: 'hi' }, { name: 'etc/ssl/' }]);
  await putFixture(stripped, { path: 'team/app', tag: '1' }, buildImage({ layers: [layer] }));
  await putFixture(stripped, { path: 'team/app', tag: '2' }, buildImage({ layers: [layer] }));
  const words = async (...line: readonly string[]) =>
    (await program.must('__complete', '--', ...line)).split('\n').slice(0, -1);
  return { ...program, words };
}

it('a word is one line, with its description', async () => {
  const { words } = await filled();
  expect(await words('lreg_d')).toEqual([expect.stringMatching(/^lreg_du\t\w/)]);
  expect(await words('nonsense', '')).toEqual([]);
});

it('images and the paths in them come from the store', async () => {
  const { words } = await filled();
  expect(await words('lreg_rm', 'team/app:')).toEqual(['team/app:1', 'team/app:2']);
  expect(await words('cat', 'team/app:1', '/etc/')).toEqual(['/etc/motd', '/etc/ssl/']);
  expect(await words('ls', 'team/app:1', 'etc/m')).toEqual(['etc/motd']);
});

it('paths of files are left to the shell', async () => {
  const { words } = await filled();
  expect(await words('lreg_ls', '--data=')).toEqual([':directories\t--data=']);
});

it('what cannot be found is no error', async () => {
  const { words, noted } = await filled();
  expect(await words('cat', 'team/none:1', '/etc/')).toEqual([]);
  expect(await words('cat', 'docker://127.0.0.1:1/team/app:1', '/')).toEqual([]);
  expect(noted()).toEqual([]);
});

it('there is a script for each of three shells', async () => {
  const { must, run } = await testProgram();
  for (const shell of ['bash', 'zsh', 'fish']) expect(await must('completion', shell)).toContain('__complete -- ');
  await expect(run('completion', 'csh')).rejects.toMatchObject({ code: 'USAGE' });
});
