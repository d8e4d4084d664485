import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { testDirectory } from '../../storage/testing/directories.ts';
import { NO_CONFIG, parseRegistryToml, readRegistryToml } from './registry-config.ts';

const parse = (text: string) => parseRegistryToml({ file: '/d/registry.toml' }, text);

it('registry.toml has a quota, schedules, patterns of immutable tags, and rules of what is kept', async () => {
  const text = `# ours
quota = "200 GiB"
gc = "daily"
scrub = "off"
immutable = ["release/**:v*"]
[[keep]]
images = "ci/**:pr-*"
newest = 10
pulled = "30d"
[[keep]]
images = "ci/**:main"
`;
  expect(await parse(text)).toEqual({
    quota: 200 * 2 ** 30,
    gc: 'daily',
    scrub: 'off',
    immutable: [{ repository: 'release/**', tag: 'v*' }],
    keep: [
      { images: { repository: 'ci/**', tag: 'pr-*' }, newest: 10, pulledMs: 30 * 86_400_000 },
      { images: { repository: 'ci/**', tag: 'main' } },
    ],
    access: {},
  });
  expect(await parse('')).toEqual(NO_CONFIG);
});

const KEEP = '[[keep]]\nimages = "a"\n\n[[keep]]\n';

it.each([
  [
    'quota = "1 GB"\nqouta = 1',
    ':2: unknown key [qouta]',
    'Known here: quota, gc, scrub, immutable, keep, proxy, read_only,',
  ],
  ['\nquota = 5', ':2: quota is not a size [5]', 'Write, in quotes: 500 MB, 200 GiB, 1.5 TiB.'],
  ['quota = "0"', ':1: quota is not a size [0]', 'Write, in quotes'],
  ['gc = "hourly"', ':1: gc is neither "daily" nor "off" [hourly]', 'Write gc = "daily".'],
  ['scrub = "daily"', ':1: scrub is neither "weekly" nor "off" [daily]', 'Write scrub = "weekly".'],
  ['immutable = "a"', ':1: immutable is not a list', 'Write immutable = ["release/**:v*"].'],
  ['gc = "daily"\nimmutable = [\n "A" ]', ':2: not a pattern for images [A]', 'Write REPOSITORY'],
  [`${KEEP}newest = 1`, ':4: the rule does not say for which images it is', 'Add images ='],
  [`${KEEP}images = "b"\nnewest = -1`, ':6: newest is not a number of tags', 'Write a whole number'],
  [`${KEEP}images = "b"\n"pulled" = "soon"`, ':6: pulled is not an age [soon]', 'Write, in quotes, numbers'],
  [`${KEEP}images = "b"\npushed = 3`, ':6: pushed is not an age [3]', 'Write, in quotes'],
  [`${KEEP}image = "b"`, ':5: unknown key [image]', 'Known here: images, newest, pushed, pulled.'],
  ['[keep]\nimages = "a"', ':1: keep is not a list', 'Begin each rule with a line [[keep]].'],
  ['gc = "daily"\nkeep = [{ images = "a", tag = "b" }]', ':2: unknown key [tag]', 'Known here'],
  ['keep = [1]', ':1: keep is not a list of tables', 'Begin each rule'],
  ['quota = 200 GiB', ':1: not TOML:', 'Texts are in quotes'],
  ['[gc]\nevery = "day"', ':1: gc is neither', 'Write gc'],
])('a mistake in [%s] is reported with its line', async (text, message, hint) => {
  const error: unknown = await parse(text).catch((reason: unknown) => reason);
  expect(error).toMatchObject({
    code: 'CONFIG_INVALID',
    message: expect.stringContaining(`/d/registry.toml${message}`),
    hint: expect.stringContaining(hint),
  });
});

it('registry.toml in the data directory is optional; a file that is named must exist', async () => {
  await using directory = await testDirectory();
  expect(await readRegistryToml(directory.path)).toEqual(NO_CONFIG);
  await writeFile(join(directory.path, 'registry.toml'), 'gc = "off"');
  expect(await readRegistryToml(directory.path)).toEqual({ ...NO_CONFIG, gc: 'off' });
  const other = join(directory.path, 'other.toml');
  await expect(readRegistryToml(directory.path, other)).rejects.toMatchObject({ code: 'FILE_UNREADABLE' });
  await writeFile(other, 'gc = "daily"');
  expect(await readRegistryToml(directory.path, other)).toEqual({ ...NO_CONFIG, gc: 'daily' });
});

it('every example of registry.toml in the docs is understood', async () => {
  const page = await readFile(join(import.meta.dirname, '../../../docs/registries.md'), 'utf8');
  const examples = [...page.matchAll(/```toml\n([\s\S]*?)```/g)].map(([, text = '']) => text);
  expect(examples.length).toBeGreaterThanOrEqual(5);
  for (const example of examples) expect(await parse(example), example).toBeDefined();
});
