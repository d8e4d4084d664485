// What `make` prints, and which options it refuses. What it makes is tested in tasks/make.
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { buildImage, layerOf } from '../../../test/fixtures/image.ts';
import { putFixture } from '../../tasks/testing/hosts-and-store.ts';
import { testProgram } from '../testing/program.ts';

async function filled() {
  const program = await testProgram();
  const { stripped } = await program.store();
  const layer = (name: string) => layerOf([{ name, data: name }]);
  await putFixture(stripped, { path: 'team/app', tag: '1' }, buildImage({ layers: [layer('a'), layer('b')] }));
  await putFixture(stripped, { path: 'team/tool', tag: '1' }, buildImage({ layers: [layer('a')] }));
  return { ...program, file: join(program.world.path, 'images.tar') };
}

it('make --dry-run says what would be in the archive', async () => {
  const { must } = await filled();
  expect(await must('make', '--dry-run', 'team/app:1', 'team/tool:1')).toMatch(
    /^docker\.io\/team\/app:1\ndocker\.io\/team\/tool:1\n2 images, 2 layers, \d+ B to read\n$/,
  );
});

it('make writes, lists and checks an archive', async () => {
  const { must, noted, file } = await filled();
  expect(await must('make', `--tar=${file}`, 'team/app:1', 'team/tool:1')).toBe('');
  expect(noted().at(-1)).toMatch(new RegExp(`^2 images, 2 layers, .*, \\d+\\.\\d s: ${file}$`));
  expect(await must('make', `--list=${file}`)).toBe('docker.io/team/app:1\ndocker.io/team/tool:1\n');
  expect(JSON.parse(await must('make', `--list=${file}`, '--json'))).toHaveLength(2);
  expect(await must('make', `--check=${file}`)).toMatch(/^(ok {4}.*\n)+$/);
  expect(noted()).toEqual(['Everything is right.']);
  expect(JSON.parse(await must('make', `--check=${file}`, '--json'))).toMatchObject({ ok: true });
  expect(JSON.parse(await must('make', '--json', `--tar=${file}`, 'team/tool:1'))).toMatchObject({
    file,
    format: 'tar',
    layers: 1,
  });
});

it('make writes, lists and checks a store of containerd', async () => {
  const { must, noted, file } = await filled();
  const named = ['--format=containerd', '--no-layers', '--root=/opt/containerd', `--tar=${file}`];
  await must('make', ...named, 'team/app:1', 'team/tool:1');
  expect(await must('make', `--list=${file}`)).toBe('docker.io/team/app:1\ndocker.io/team/tool:1\n');
  expect(await must('make', `--check=${file}`)).toContain('note: 2 of 2 layers have no blob');
  expect(noted().at(-1)).toBe('Everything is right.');
});

it.each([
  [[], 'make needs an item [ITEM]'],
  [['--format=zip', 'a'], 'unknown format [zip]'],
  [['--no-layers', 'a'], '--no-layers is for a store of containerd [tar]'],
  [['--root=/x', '--format=squashfs', 'a'], '--root is for a store of containerd [squashfs]'],
  [['--format=containerd', '--root=x', '--tar=/x', 'team/app:1'], 'not the path of a directory of containerd [x]'],
  [['--list=a', '--check=b'], '--list and --check take one file, and nothing else'],
  [['--list=a', 'item'], '--list and --check take one file, and nothing else'],
  [['--json', '--tar=-', 'a'], 'both the archive and --json go to stdout [-]'],
])('%j is refused', async (argv, message) => {
  const { run } = await filled();
  await expect(run('make', ...argv)).rejects.toMatchObject({ code: 'USAGE', message });
});
