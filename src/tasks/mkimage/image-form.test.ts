import { writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { formatReference } from '../../oci/reference.ts';
import { temporaryWorld } from '../testing/temporary-world.ts';
import { type FormOptions, manifestName, readImageForm } from './image-form.ts';

const MANIFEST = JSON.stringify({
  acKind: 'ImageManifest',
  name: 'example.com/a/b',
  labels: [
    { name: 'arch', value: 'amd64' },
    { name: 'version', value: '1.2' },
  ],
  app: { exec: ['/bin/app', '-v'] },
});

/** The form of a directory with these files. */
async function form(
  files: Readonly<Record<string, string | Uint8Array>>,
  options: (path: string) => FormOptions = () => ({}),
) {
  await using world = await temporaryWorld();
  const directory = dirname(await world.file('ovl/tar', ''));
  for (const [name, content] of Object.entries(files)) await writeFile(join(directory, name), content);
  return await readImageForm(directory, options(directory));
}

describe('a directory', () => {
  it('is built as its Dockerfile says', async () => {
    const { kind, dockerfile } = await form({ Dockerfile: 'FROM scratch\n', 'manifest.json': MANIFEST });
    expect([kind, dockerfile.warnings]).toEqual(['dockerfile', []]);
  });

  it('is built as its manifest.json says if there is no Dockerfile, or if it is named', async () => {
    const alone = await form({ 'manifest.json': MANIFEST });
    expect(alone.kind === 'manifest' && formatReference(alone.name)).toBe('example.com/a/b:1.2');
    const named = await form({ Dockerfile: 'FROM scratch\n', 'other.json': MANIFEST }, (path) => ({
      manifest: join(path, 'other.json'),
    }));
    expect(named.kind).toBe('manifest');
  });

  it('is built as another Dockerfile says if that is named', async () => {
    const { path } = await form({ Dockerfile: 'nonsense', other: 'FROM scratch\n' }, (at) => ({
      file: join(at, 'other'),
    }));
    expect(path).toMatch(/\/other$/);
  });

  it('that has neither, or is not there, is reported', async () => {
    await expect(form({})).rejects.toMatchObject({ code: 'PATH_UNKNOWN', message: expect.stringContaining('neither') });
    await expect(readImageForm('/nowhere', {})).rejects.toMatchObject({ code: 'PATH_UNKNOWN' });
  });
});

describe('a manifest.json', () => {
  it.each([
    ['no JSON', '{', 'that is no JSON'],
    ['a list', '[]', 'no object'],
    ['without a name', '{"labels":[{"name":"version","value":"1"}]}', 'without a name'],
    ['without a version', '{"name":"a/b","labels":[{"name":"arch","value":"1"}]}', 'version'],
    [
      'with a command in one string',
      JSON.stringify({ ...JSON.parse(MANIFEST), app: { exec: '/bin/app' } }),
      'app.exec',
    ],
  ])('%s is CONFIG_INVALID', async (_, text, why) => {
    await expect(form({ 'manifest.json': text })).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringContaining(why),
    });
  });

  it('gives a name only if it describes an image', async () => {
    await using world = await temporaryWorld();
    const directory = dirname(await world.file('a/manifest.json', MANIFEST));
    expect(formatReference((await manifestName(directory)) ?? { path: '' })).toBe('example.com/a/b:1.2');
    for (const text of ['{"name":"my web app","icons":[]}', '{', '[]']) {
      expect(await manifestName(dirname(await world.file('b/manifest.json', text)))).toBeUndefined();
    }
    expect(await manifestName(join(world.path, 'nowhere'))).toBeUndefined();
  });
});

describe('a Dockerfile', () => {
  it('in UTF-16 is refused, with a command that converts it', async () => {
    const utf16 = Buffer.from('\ufeffFROM scratch\n', 'utf16le');
    await expect(form({ Dockerfile: utf16 })).rejects.toMatchObject({
      code: 'FILE_UNREADABLE',
      hint: expect.stringMatching(/^iconv /),
    });
  });

  it('in Latin-1 is read, with a warning that names the line', async () => {
    const { dockerfile } = await form({ Dockerfile: Buffer.from('FROM scratch\n# Jos\xe9\n', 'latin1') });
    expect(dockerfile.warnings).toEqual([expect.objectContaining({ line: 2, rule: 'NotUtf8' })]);
  });

  it('of more than 4 MiB is refused', async () => {
    const large = `FROM scratch\n${'#\n'.repeat(3 << 20)}`;
    await expect(form({ Dockerfile: large })).rejects.toMatchObject({ code: 'FILE_UNREADABLE' });
  });
});
