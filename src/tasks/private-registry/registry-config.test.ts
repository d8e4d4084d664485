import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { testDirectory } from '../../storage/testing/directories.ts';
import { NO_CONFIG, parseRegistryToml, readConfigText, readRegistryToml } from './registry-config.ts';

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
  ['quota = "1 GB"\nqouta = 1', ':2: unknown key [qouta]', 'Did you mean quota?'],
  ['nonsense = 1', ':1: unknown key [nonsense]', 'Known here: listen, names, data, tls, auth, read_only,'],
  ['read-only = true', ':1: unknown key [read-only]', 'Did you mean read_only?'],
  ['tls-cert = "a"', ':1: unknown key [tls-cert]', 'Did you mean tls.cert?'],
  ['ttl = "5m"', ':1: unknown key [ttl]', 'Did you mean proxy.ttl?'],
  ['[proxy]\nttl = "5m"\nquotta = "1 GB"', ':3: unknown key [quotta]', 'quota is a key of the file: write it above'],
  ['listen = ["0.0.0.0"]', ':1: not an address to listen on [0.0.0.0]: it has no port', 'Write ADDR:PORT'],
  ['listen = 5000', ':1: listen is not a list of texts [5000]', 'Write listen = '],
  ['names = ["a:5000"]', ':1: not a name of a host [a:5000]', 'Write the name alone'],
  ['audit = "yes"', ':1: audit is neither true nor false [yes]', 'Write audit = true.'],
  ['drain = 5', ':1: drain is not an age [5]', 'Write, in quotes, numbers'],
  ['data = "/srv"', ':1: data is only for a file that --config names', 'remove the line'],
  ['tls = "letsencrypt"', ':1: tls is neither "auto" nor a table [letsencrypt]', 'Write tls = "auto"; or, below'],
  ['[tls]\ncert = ""', ':2: cert is not a text []', 'Write, in quotes: cert ='],
  ['[tls]\ncert = "a"', ':2: tls has cert and no key', 'Add key = "FILE" below [tls].'],
  ['tls.key = "a"', ':1: tls has key and no cert', 'Add cert = "FILE" below [tls].'],
  ['[tls]\nauto = true\ncert = "a"\nkey = "b"', ':2: tls.auto makes certificates', 'Remove auto, or cert and key.'],
  ['metrics = true', ':1: metrics is not a table [true]', 'Write open = true below a line [metrics].'],
  ['[tls]\nnames = ["lan"]', ':2: tls.names limits the own CA', 'Add auto = true below [tls].'],
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
  [`${KEEP}image = "b"`, ':5: unknown key [image]', 'Did you mean images?'],
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

it('registry.toml says where and how the registry is served; files are beside it', async () => {
  const text = `listen = "127.0.0.1:5000"\nnames = ["registry.lan"]\ndata = "images"\naudit = true\n[tls]\ncert = "c"\nkey = "/k"`;
  expect(await parseRegistryToml({ file: '/d/registry.toml', isNamed: true }, text)).toMatchObject({
    listen: ['127.0.0.1:5000'],
    names: ['registry.lan'],
    data: '/d/images',
    audit: true,
    tls: { tlsCertificate: '/d/c', tlsKey: '/k' },
  });
  expect((await parse('tls = "auto"')).tls).toEqual({ tls: 'auto' });
  expect((await parse('tls = false')).tls).toBeUndefined();
  expect((await parse('[tls]\nauto = true\nnames = ["lan"]')).tls).toEqual({ tls: 'auto', tlsNames: ['lan'] });
});

it('all mistakes of a file are found, in the order of its lines; an error tells the first and how many more', async () => {
  const text = 'gc = "x"\nqouta = 1\n[[keep]]\nimages = "A"\n[[rule]]\nallow = ["pul"]\n[tls]\ncert = "a"\n';
  const { mistakes } = await readConfigText({ file: '/d/r.toml' }, text);
  expect(mistakes.map(({ line, key }) => [line, key])).toEqual([
    [1, 'gc'],
    [2, 'qouta'],
    [4, 'keep.images'],
    [6, 'rule.allow'],
    [8, 'tls.cert'],
  ]);
  await expect(parse(text)).rejects.toMatchObject({
    message: '/d/registry.toml:1: gc is neither "daily" nor "off" [x]',
    hint: 'Write gc = "daily". `images config --check` shows 4 more.',
  });
  expect((await readConfigText({ file: '/d/r.toml' }, 'a = [')).mistakes).toMatchObject([{ line: 1 }]);
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
  const read = (page: string) => readFile(join(import.meta.dirname, '../../../docs', page), 'utf8');
  const pages = `${await read('registries.md')}\n${await read('configuration.md')}`;
  const examples = [...pages.matchAll(/```toml\n([\s\S]*?)```/g)].map(([, text = '']) => text);
  expect(examples.length).toBeGreaterThanOrEqual(5);
  const source = { file: '/d/registry.toml', isNamed: true };
  for (const example of examples) expect(await parseRegistryToml(source, example), example).toBeDefined();
});

it('of very many mistakes a hundred are told', async () => {
  const text = Array.from({ length: 5000 }, (_, at) => `key${at} = 1\n`).join('');
  const { mistakes } = await readConfigText({ file: 'r.toml' }, text);
  expect(new Set(mistakes.map(({ line }) => line)).size).toBe(100);
});
