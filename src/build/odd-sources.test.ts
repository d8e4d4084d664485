// COPY and ADD with unusual sources: invalid patterns, names that look like patterns, unreachable addresses, archives that no file
// system could hold.
import { describe, expect, it } from 'vitest';
import { archiveOf, type TestEntry } from '../rootfs/testing/layers.ts';
import { build, failure } from './testing/build.ts';

describe('sources of COPY and ADD that are no patterns', () => {
  it.each(['[', 'a[', '["a.txt" ', '[a'])('are reported with their line: %s', async (source) => {
    const line = `COPY ${source} /`;
    const error = await failure(`FROM scratch\n${line}`, { files: [{ name: 'a.txt', content: 'A' }] });
    expect(error).toMatchObject({ code: 'DOCKERFILE_INVALID', position: { line: 2, column: 6 } });
    expect(error.message).toMatch(/bracket|pattern/);
  });

  it('may begin with an exclamation mark, and have blanks at either end', async () => {
    const files = ['!a', 'b', ' c', 'c'].map((name) => ({ name, content: name }));
    expect((await build('FROM scratch\nCOPY ["!*", "/d/"]', { files })).list).toEqual(['d/ 755 0:0', 'd/!a 644 0:0']);
    expect((await build('FROM scratch\nCOPY [" ?", "/d/"]', { files })).list).toEqual(['d/ 755 0:0', 'd/ c 644 0:0']);
  });
});

describe('addresses of ADD that lead nowhere', () => {
  it.each(['https://', 'http:///x', 'http://x:99999/a'])('are reported before any request is sent: %s', async (url) => {
    const error = await failure(`FROM scratch\nADD ${url} /`, { download: () => expect.fail('asked') });
    expect(error).toMatchObject({ code: 'DOCKERFILE_INVALID', message: `Dockerfile:2: not an http address [${url}]` });
  });
});

describe('ADD of an archive', () => {
  it('with a hard link to a directory fails', async () => {
    const entries: readonly TestEntry[] = [{ name: 'd/' }, { name: 'h', type: 'hardlink', linkname: 'd' }];
    const files = [{ name: 'ovl.tar', content: await archiveOf(entries) }];
    const error = await failure('FROM scratch\nADD ovl.tar /', { files });
    expect(error).toMatchObject({ code: 'TAR_INVALID', position: { line: 2, column: 5 } });
    expect(error.message).toContain('a hard link to a directory [h → d]');
  });
});
