import { rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { eventually } from '../../../test/testing/eventually.ts';
import { testDirectory } from '../../storage/testing/directories.ts';
import { watchConfig } from './watched-config.ts';

/** Is there all at once, as editors do it: what is not whole is the matter of file-at-rest. */
async function replace(file: string, text: string): Promise<void> {
  await writeFile(`${file}.new`, text);
  await rename(`${file}.new`, file);
}

it('registry.toml is read again when it changes; if it has a mistake, the old rules stay', async () => {
  await using directory = await testDirectory();
  const file = join(directory.path, 'registry.toml');
  await replace(file, 'quota = "1 GB"');
  const broken: unknown[] = [];
  let changes = 0;
  using config = await watchConfig(directory.path, {
    everyMs: 10,
    restMs: 0,
    onChange: () => {
      changes += 1;
    },
    onBroken: (error) => broken.push(error),
  });
  expect(config.current.quota).toBe(1e9);
  await replace(file, 'quota = "2 GB" ');
  await eventually(() => config.current.quota === 2e9);
  await replace(file, 'quota = "many"  ');
  await eventually(() => broken.length > 0);
  expect(broken.at(-1)).toMatchObject({ message: `${file}:1: quota is not a size [many]` });
  expect(config.current.quota).toBe(2e9);
  await rm(file);
  await eventually(() => config.current.quota === undefined);
  expect(changes).toBeGreaterThanOrEqual(2);
});

it('registry.toml has to be valid at the start', async () => {
  await using directory = await testDirectory();
  await writeFile(join(directory.path, 'registry.toml'), 'quota = 1');
  await expect(watchConfig(directory.path, { restMs: 0 })).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
});
