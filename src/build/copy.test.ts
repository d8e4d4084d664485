// COPY and ADD: the resulting content of the image. Numbers in titles are those of this project's list of known traps.
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { ImagesError } from '../oci/errors.ts';
import { archiveOf, type TestEntry } from '../rootfs/testing/layers.ts';
import { findPath, headerOf } from '../rootfs/tree.ts';
import { fileInMemory, filesSource } from './context/one-file.ts';
import { nameOfUrl } from './dockerfile/parse-files.ts';
import { build, contextOf, failure, type TestBuild } from './testing/build.ts';
import { bzip2Of, xzOf } from './testing/compressed.ts';

const FILES: readonly TestEntry[] = [
  { name: 'a.txt', content: 'A' },
  { name: 'b.txt', content: 'BB' },
  { name: 'c.md', content: 'C' },
  { name: 'dir/', mode: 0o750 },
  { name: 'dir/x', content: 'X', mode: 0o600 },
  { name: 'dir/sub/' },
  { name: 'dir/sub/y', content: 'Y' },
  { name: 'dir/sub/z.md', content: 'Z' },
  { name: 'link', linkname: 'a.txt' },
  { name: 'dirlink', linkname: 'dir' },
  { name: 'dir/inner', linkname: 'x' },
];

const listOf = async (lines: string, options: Parameters<typeof build>[1] = {}) =>
  (await build(`FROM scratch\n${lines}`, { files: FILES, ...options })).list;

describe('COPY of files and directories', () => {
  it('copies the content of a directory, not itself', async () => {
    expect(await listOf('COPY dir /to/')).toEqual([
      'to/ 755 0:0',
      'to/inner 777 0:0 → x',
      'to/sub/ 755 0:0',
      'to/sub/y 644 0:0',
      'to/sub/z.md 644 0:0',
      'to/x 600 0:0',
    ]);
  });

  it('makes a file under the name of the destination, or in it where it is a directory', async () => {
    expect(await listOf('COPY a.txt /f\nCOPY a.txt b.txt /d/\nCOPY c.md /d\nCOPY c.md /e/.')).toEqual([
      'd/ 755 0:0',
      'd/a.txt 644 0:0',
      'd/b.txt 644 0:0',
      'd/c.md 644 0:0',
      'e/ 755 0:0',
      'e/c.md 644 0:0',
      'f 644 0:0',
    ]);
  });

  it('resolves empty and relative destinations against the working directory', async () => {
    expect(await listOf('WORKDIR /w\nARG E\nCOPY a.txt $E .\nCOPY b.txt sub/', {})).toContain('w/a.txt 644 0:0');
    expect(await listOf('WORKDIR /w\nCOPY ["a.txt", ""]\nCOPY b.txt sub/b')).toEqual([
      'w/ 755 0:0',
      'w/a.txt 644 0:0',
      'w/sub/ 755 0:0',
      'w/sub/b 644 0:0',
    ]);
  });

  it('follows links that a source names and keeps those in a tree', async () => {
    expect(await listOf('COPY link /f\nCOPY dirlink /d/')).toEqual([
      'd/ 755 0:0',
      'd/inner 777 0:0 → x',
      'd/sub/ 755 0:0',
      'd/sub/y 644 0:0',
      'd/sub/z.md 644 0:0',
      'd/x 600 0:0',
      'f 644 0:0',
    ]);
    expect(await (await build('FROM scratch\nCOPY link /f', { files: FILES })).text('f')).toBe('A');
  });

  it('keeps hard links, also where a wildcard names them', async () => {
    const files: TestEntry[] = [
      { name: 'h/' },
      { name: 'h/one', content: 'same' },
      { name: 'h/two', type: 'hardlink', linkname: 'h/one' },
    ];
    const { tree, lastLayer } = await build('FROM scratch\nCOPY h /h/', { files });
    expect(lastLayer.entries.map(({ type }) => type)).toEqual(['directory', 'file', 'hardlink']);
    expect(findPath(tree, 'h/one')?.node.inode).toBe(findPath(tree, 'h/two')?.node.inode);
  });

  it('keeps extended attributes, set-id bits, devices and sparse files', async () => {
    const capability = Uint8Array.from([1, 0, 0, 2, 0, 4]);
    const files: TestEntry[] = [
      { name: 'ping', content: 'x', mode: 0o4755, xattrs: new Map([['security.capability', capability]]) },
      { name: 'null', type: 'character', device: { major: 1, minor: 3 } },
      { name: 'pipe', type: 'fifo' },
    ];
    const { tree } = await build('FROM scratch AS a\nCOPY . /\nFROM scratch\nCOPY --from=a / /', { files });
    const header = (path: string) => headerOf((findPath(tree, path) as NonNullable<ReturnType<typeof findPath>>).node);
    expect(header('ping')).toMatchObject({ mode: 0o4755 });
    expect(Buffer.from(header('ping').xattrs.get('security.capability') ?? [])).toEqual(Buffer.from(capability));
    expect(header('null')).toMatchObject({ type: 'character', device: { major: 1, minor: 3 } });
    expect(header('pipe').type).toBe('fifo');
  });

  it('copies one file to two paths', async () => {
    const { text } = await build('FROM scratch\nCOPY a.txt a.txt /d/\nCOPY a.txt dir/x dir /e/', { files: FILES });
    expect([await text('d/a.txt'), await text('e/x'), await text('e/a.txt')]).toEqual(['A', 'X', 'A']);
  });
});

describe('wildcards', () => {
  it.each([
    ['*.txt', ['a.txt', 'b.txt']],
    ['?.txt', ['a.txt', 'b.txt']],
    ['[a-b].*', ['a.txt', 'b.txt']],
    ['*/x', ['x']],
    ['dir/*/y', ['y']],
    ['dirlin?/x', undefined],
    ['../../a.txt', ['a.txt']],
    ['/a.*', ['a.txt']],
  ])('%s', async (pattern, names) => {
    const copied = listOf(`COPY ${pattern} /d/`);
    if (!names) return await expect(copied).rejects.toThrow('nothing matches');
    expect((await copied).slice(1).map((line) => line.split(' ')[0])).toEqual(names.map((name) => `d/${name}`));
  });

  it('that match nothing fail; the error lists what is there', async () => {
    const { message, excerpt, hint, code } = await failure('FROM scratch\nCOPY *.go /', { files: FILES });
    expect([code, message]).toEqual(['PATH_UNKNOWN', 'Dockerfile:2: nothing matches in the context [*.go]']);
    expect(excerpt).toEqual(['2 | COPY *.go /', '  |      ^^^^']);
    expect(hint).toBe('There is: a.txt b.txt c.md dir dirlink link');
  });

  it('and other sources that are not there fail; the error suggests the nearest name', async () => {
    expect(await failure('FROM scratch\nCOPY dir/innr /', { files: FILES })).toMatchObject({
      message: 'Dockerfile:2: no such file or directory in the context [dir/innr]',
      hint: 'Did you mean dir/inner?',
    });
    const { hint } = await failure('FROM scratch\nCOPY l /', { files: [{ name: 'l', linkname: '../etc/x' }] });
    expect(hint).toBe('It is a link to what is not in the context: ../etc/x');
  });

  it('that are escaped mean the character itself', async () => {
    const files = [
      { name: 'a*b', content: '1' },
      { name: 'axb', content: '2' },
    ];
    expect(await listOf('COPY a\\\\*b /d/', { files })).toEqual(['d/ 755 0:0', 'd/a*b 644 0:0']);
  });
});

const BASE = {
  base: {
    entries: [
      { name: 'etc/', mode: 0o711, uid: 3, gid: 4 },
      { name: 'etc/passwd', content: 'root:x:0:0::/root:/bin/sh\nbob:x:1000:1001::/home/bob:/bin/sh\n' },
      { name: 'etc/group', content: 'root:x:0:\nbob:x:1001:\nstaff:x:50:\n' },
      { name: 'real/', mode: 0o700, uid: 7, gid: 8 },
      { name: 'real/old', content: 'old' },
      { name: 'lnk', linkname: 'real' },
      { name: 'up', linkname: '../../real' },
      { name: 'abs', linkname: '/real/new' },
      { name: 'usr/lib/', mode: 0o755 },
      { name: 'lib', linkname: 'usr/lib' },
      { name: 'loop', linkname: 'loop' },
    ] satisfies TestEntry[],
  },
};
const onBase = (lines: string, files: readonly TestEntry[] = FILES) =>
  build(`FROM base\n${lines}`, { files, images: BASE });

describe('destinations', () => {
  it('that are links are followed inside the root, never out of it', async () => {
    const { list } = await onBase('COPY a.txt /lnk/\nCOPY b.txt /up\nCOPY c.md /abs');
    expect(list).toEqual(
      expect.arrayContaining(['real/a.txt 644 0:0', 'real/b.txt 644 0:0', 'real/new 644 0:0', 'lnk 644 0:0 → real']),
    );
  });

  it('that are links in a circle fail', async () => {
    expect((await failure('FROM base\nCOPY a.txt /loop/', { files: FILES, images: BASE })).message).toContain(
      'lead in a circle [/loop]',
    );
  });

  it('that are directories keep owner and mode; what is copied brings its own', async () => {
    const { list, lastLayer } = await onBase('COPY a.txt /real/\nCOPY dir /etc');
    expect(list).toEqual(
      expect.arrayContaining(['real/ 700 7:8', 'etc/ 711 3:4', 'etc/sub/ 755 0:0', 'real/old 644 0:0']),
    );
    // Unpacking this layer alone must create the directories with the same attributes.
    expect(lastLayer.entries.filter(({ path }) => path === 'etc')).toMatchObject([{ mode: 0o711, uid: 3, gid: 4 }]);
  });

  it('that exist get owner and mode of a directory that is copied onto them', async () => {
    const files: TestEntry[] = [
      { name: 'src/' },
      { name: 'src/real/', mode: 0o701 },
      { name: 'src/real/n', content: '' },
    ];
    expect((await onBase('COPY --chown=9 src /', files)).list).toEqual(
      expect.arrayContaining(['real/ 701 9:9', 'real/old 644 0:0', 'real/n 644 9:9']),
    );
  });

  it('that are of another type than what is copied fail', async () => {
    const said = async (lines: string, files: readonly TestEntry[]) =>
      (await failure(`FROM base\n${lines}`, { files, images: BASE })).message;
    expect(await said('COPY . /', [{ name: 'real', content: '' }])).toBe(
      'Dockerfile:2: cannot put a file where a directory is [/real]',
    );
    expect(await said('COPY . /', [{ name: 'lnk/' }])).toBe(
      'Dockerfile:2: cannot put a directory where something else is [/lnk]',
    );
    expect(await said('COPY a /etc/passwd/', [{ name: 'a', content: '' }])).toContain(
      'not a directory, so nothing can be put below it [/etc/passwd]',
    );
  });

  it('get missing parent directories with the owner and mode of --chown and --chmod', async () => {
    expect(await listOf('COPY --chown=5:6 --chmod=711 a.txt /new/deep/')).toEqual([
      'new/ 711 5:6',
      'new/deep/ 711 5:6',
      'new/deep/a.txt 711 5:6',
    ]);
    expect(await listOf('COPY --chmod=g+w a.txt /new/')).toEqual(['new/ 755 0:0', 'new/a.txt 664 0:0']);
  });
});

describe('--chown and --chmod', () => {
  it("look names up in the image's own files", async () => {
    const { list } = await onBase(
      'COPY --chown=bob a.txt /1\nCOPY --chown=bob:staff a.txt /2\nCOPY --chown=12 a.txt /3\nCOPY --chown=:staff a.txt /4',
    );
    expect(list).toEqual(expect.arrayContaining(['1 644 1000:1001', '2 644 1000:50', '3 644 12:12', '4 644 0:50']));
  });

  it('refuse names that are not there, with the nearest one', async () => {
    expect(await failure('FROM base\nCOPY --chown=bobb a.txt /', { files: FILES, images: BASE })).toMatchObject({
      message: 'Dockerfile:2: the image has no such user [bobb]',
      excerpt: ['2 | COPY --chown=bobb a.txt /', '  |      ^^^^^^^^^^^^'],
      hint: 'Did you mean bob?',
    });
  });

  it('are octal or symbolic, and may hold variables', async () => {
    expect(await listOf('ARG M=4711\nCOPY --chmod=$M a.txt /1\nCOPY --chmod=u=rwX,go=rX dir /2')).toEqual([
      '1 4711 0:0',
      '2/ 755 0:0',
      '2/inner 777 0:0 → x',
      '2/sub/ 755 0:0',
      '2/sub/y 644 0:0',
      '2/sub/z.md 644 0:0',
      '2/x 644 0:0',
    ]);
    expect((await failure('FROM scratch\nCOPY --chmod=888 a.txt /', { files: FILES })).message).toBe(
      'Dockerfile:2: not a mode [888]',
    );
  });
});

describe('--exclude and --parents', () => {
  it('leave out what a pattern matches below the source, except what a later ! pattern includes', async () => {
    expect(await listOf('COPY --exclude=*.md --exclude=**/z.md . /d/')).not.toContain('d/c.md 644 0:0');
    expect(await listOf('COPY --exclude=sub --exclude=!sub/y dir /d/')).toEqual([
      'd/ 755 0:0',
      'd/inner 777 0:0 → x',
      'd/sub/ 755 0:0',
      'd/sub/y 644 0:0',
      'd/x 600 0:0',
    ]);
    expect(await listOf('COPY --exclude=*.md *.* /d/')).toEqual(['d/ 755 0:0', 'd/a.txt 644 0:0', 'd/b.txt 644 0:0']);
  });

  it('keep the directories of the source that follow /./', async () => {
    expect(await listOf('COPY --parents dir/sub/y a.txt /d/')).toEqual([
      'd/ 755 0:0',
      'd/a.txt 644 0:0',
      'd/dir/ 750 0:0',
      'd/dir/sub/ 755 0:0',
      'd/dir/sub/y 644 0:0',
    ]);
    expect(await listOf('COPY --parents dir/./sub/y /d/')).toEqual(['d/ 755 0:0', 'd/sub/ 755 0:0', 'd/sub/y 644 0:0']);
    expect(await listOf('COPY --parents ./dir/*/y /d/')).toEqual([
      'd/ 755 0:0',
      'd/dir/ 750 0:0',
      'd/dir/sub/ 755 0:0',
      'd/dir/sub/y 644 0:0',
    ]);
    expect(await listOf('COPY --parents d*/./**/y /d')).toEqual(['d/ 755 0:0', 'd/sub/ 755 0:0', 'd/sub/y 644 0:0']);
  });

  it('fail where nothing is there', async () => {
    expect((await failure('FROM scratch\nCOPY --parents dir/none /d/', { files: FILES })).message).toContain(
      'no such file or directory',
    );
    expect((await failure('FROM scratch\nCOPY --parents dir/*/none /d/', { files: FILES })).message).toContain(
      'nothing matches',
    );
  });
});

describe('heredocs', () => {
  it('become files: variables are expanded unless the name is quoted, quotes stay, backslashes work as in a shell', async () => {
    const { text, list } = await build(
      [
        'FROM scratch',
        'ARG V=1',
        'COPY --chmod=600 <<one <<"two" <<-three /d/',
        '"$V" \'$V\' \\$V \\\\',
        'one',
        '"$V" \\$V \\\\',
        'two',
        '\ttab $V',
        '\tthree',
      ].join('\n'),
    );
    expect(list).toEqual(['d/ 600 0:0', 'd/one 600 0:0', 'd/three 600 0:0', 'd/two 600 0:0']);
    expect(await text('d/one')).toBe('"1" \'1\' $V \\\n');
    expect(await text('d/two')).toBe('"$V" \\$V \\\\\n');
    expect(await text('d/three')).toBe('tab 1\n');
  });

  it('become files of any name, and can stand beside other sources', async () => {
    expect(await listOf('COPY a.txt <<"my file" /d/\nx\nmy file\nADD <<E /plain\nE')).toEqual([
      'd/ 755 0:0',
      'd/a.txt 644 0:0',
      'd/my file 644 0:0',
      'plain 644 0:0',
    ]);
  });
});

describe('ADD of archives', () => {
  const entries: TestEntry[] = [
    { name: './' },
    { name: './bin/', mode: 0o711, uid: 5, gid: 6 },
    { name: './bin/tool', content: 'tool', mode: 0o4755, uid: 7, gid: 8 },
    { name: './bin/same', type: 'hardlink', linkname: './bin/tool', mode: 0o4755, uid: 7, gid: 8 },
    { name: './deep/without/parents', content: '1' },
    { name: './to', linkname: '/elsewhere' },
  ];
  const expected = [
    'bin/ 711 5:6',
    'bin/same 4755 7:8',
    'bin/tool 4755 7:8',
    'deep/ 755 0:0',
    'deep/without/ 755 0:0',
    'deep/without/parents 644 0:0',
    'to 777 0:0 → /elsewhere',
  ];

  it.each([
    ['plain', (bytes: Uint8Array) => bytes],
    ['gzip', gzipSync],
    ['zstd', zstdCompressSync],
    ['bzip2', bzip2Of],
    ['xz', xzOf],
  ])('unpacks %s, recognised by its content, not by its name', async (_, compress) => {
    const files = [{ name: 'picture.png', content: compress(await archiveOf(entries)) }];
    expect(await listOf('ADD picture.png /', { files })).toEqual(expected);
    expect(await listOf('COPY picture.png /', { files })).toEqual(['picture.png 644 0:0']);
    expect(await listOf('ADD --unpack=false picture.png /', { files })).toEqual(['picture.png 644 0:0']);
  });

  it('copies what is not an archive as a file, whatever its name', async () => {
    const files = [
      { name: 'a.tar', content: 'no archive' },
      { name: 'b.tar.gz', content: gzipSync('not either') },
      { name: 'c.tar', content: new Uint8Array(10240) },
    ];
    expect(await listOf('ADD a.tar b.tar.gz c.tar /', { files })).toEqual([
      'a.tar 644 0:0',
      'b.tar.gz 644 0:0',
      'c.tar 644 0:0',
    ]);
  });

  it('gives all entries the owner of --chown, and puts them below the destination', async () => {
    const files = [{ name: 'ovl.tar', content: await archiveOf(entries) }];
    const list = await listOf('ADD --chown=1:2 ovl.tar /opt/x', { files });
    expect(list).toEqual(
      expect.arrayContaining(['opt/ 755 1:2', 'opt/x/ 755 1:2', 'opt/x/bin/ 711 1:2', 'opt/x/bin/tool 4755 1:2']),
    );
  });

  it('follows links of the image on the way, and replaces those that it names', async () => {
    const files = [
      {
        name: 'x.tar',
        content: await archiveOf([
          { name: 'lib/new.so', content: 'so' },
          { name: 'lnk', content: 'no link any more' },
          { name: 'abs/', mode: 0o750 },
          { name: 'abs/in', content: '' },
          { name: 'real', linkname: 'etc' },
        ]),
      },
    ];
    const { list } = await onBase('ADD x.tar /', files);
    expect(list).toEqual(
      expect.arrayContaining([
        'usr/lib/new.so 644 0:0',
        'lib 644 0:0 → usr/lib',
        'lnk 644 0:0',
        'abs/ 750 0:0',
        'abs/in 644 0:0',
        'real 777 0:0 → etc',
      ]),
    );
    expect(list).not.toContain('real/old 644 0:0');
  });

  it('reads pax global headers', async () => {
    const archive = Buffer.from(await archiveOf([{ name: 'f', content: 'x' }]));
    const record = Buffer.from('19 comment=deadbee\n');
    const header = Buffer.alloc(512);
    header.write('pax_global_header');
    header.write('0000644\0', 100);
    header.write('00000000023\0', 124);
    header.write('00000000000\0', 136);
    header.write('        ', 148);
    header.write('g', 156);
    header.write('ustar\x0000', 257);
    header.write(
      `${header
        .reduce((sum, byte) => sum + byte, 0)
        .toString(8)
        .padStart(6, '0')}\0 `,
      148,
    );
    const content = Buffer.concat([header, record, Buffer.alloc(512 - record.length), archive]);
    expect(await listOf('ADD x.tar /', { files: [{ name: 'x.tar', content }] })).toEqual(['f 644 0:0']);
  });

  it.each([
    [[{ name: '../out', content: '' }], 'a name in the archive climbs out of the root [../out]'],
    [[{ name: 'a', type: 'hardlink', linkname: 'nothing' }], 'a hard link to what the archive does not hold before it'],
    [[{ name: 'd/.wh.x', content: '' }], 'no image can have a file of that name'],
  ] satisfies [TestEntry[], string][])('refuses %j', async (hostile, message) => {
    const files = [{ name: 'x.tar', content: await archiveOf(hostile) }];
    const error = await failure('FROM scratch\nADD x.tar /', { files });
    expect(error.message).toContain(message);
    expect(error.message).toMatch(/^Dockerfile:2: /);
  });

  it('takes the file name of a URL or a heredoc literally, not as a pattern', async () => {
    const download: NonNullable<TestBuild['download']> = async (url) =>
      contextOf([{ name: nameOfUrl(url), content: 'fetched' }]);
    const lines = [
      'ADD http://h/a%5Bb%5D%2A?x /u/',
      'ADD http://h/dir/ /u/',
      'ADD http://h/%5C* /u/',
      'COPY <<"h[x]" /u/',
      'text',
      'h[x]',
    ];
    const { list, text } = await build(`FROM scratch\n${lines.join('\n')}`, { download });
    expect(list).toEqual(['u/ 755 0:0', 'u/\\* 644 0:0', 'u/a[b]* 644 0:0', 'u/dir 644 0:0', 'u/h[x] 644 0:0']);
    expect(await text('u/a[b]*')).toBe('fetched');
  });

  it('puts a file of a URL or a heredoc with the name of a whiteout under the name of the destination, or refuses it', async () => {
    const download: NonNullable<TestBuild['download']> = async (url) =>
      filesSource('there', [
        fileInMemory(nameOfUrl(url), Buffer.from('fetched'), { mode: 0o600, time: { seconds: 0, nanoseconds: 0 } }),
      ]);
    const { list, text } = await build(
      'FROM scratch\nADD http://h/.wh.x /y\nADD http://h/.wh..wh..opq /d/z\nCOPY <<.wh.h /h\ntext\n.wh.h',
      { download },
    );
    expect(list).toEqual(['d/ 755 0:0', 'd/z 600 0:0', 'h 644 0:0', 'y 600 0:0']);
    expect([await text('y'), await text('h')]).toEqual(['fetched', 'text\n']);
    for (const line of ['ADD http://h/.wh.x /', 'COPY <<.wh.h /d/\ntext\n.wh.h', 'ADD http://h/x /.wh.x']) {
      expect((await failure(`FROM scratch\n${line}`, { download })).message).toMatch(
        /^Dockerfile:2: no image can have a file of that name \[(?:d\/)?\.wh\.[xh]\]$/,
      );
    }
  });

  it.each([
    'COPY a.txt /.wh.d/',
    'COPY dir /e/.wh.d',
    'COPY --parents dir/x /.wh.d/',
    'WORKDIR /e/.wh.d/f',
    'ADD x.tar /.wh.d/',
  ])('makes no directory with the name of a whiteout: %s', async (line) => {
    const files = [...FILES, { name: 'x.tar', content: await archiveOf([{ name: 'f', content: '' }]) }];
    expect(await failure(`FROM scratch\n${line}`, { files })).toMatchObject({
      code: 'TAR_INVALID',
      message: expect.stringMatching(/^Dockerfile:2: no image can have a file of that name \[(?:e\/)?\.wh\.d\]$/),
    });
  });

  it('reports a URL that does not give the file with its line and column', async () => {
    const download = async () => {
      throw new ImagesError('BAD_ANSWER', 'the address answered 404 [http://h/x]', { hint: 'Check the address.' });
    };
    for (const flag of ['', `--checksum=sha256:${'0'.repeat(64)} `]) {
      const line = `ADD ${flag}http://h/x /y`;
      expect(await failure(`FROM scratch\n${line}`, { download })).toMatchObject({
        code: 'BAD_ANSWER',
        message: 'Dockerfile:2: the address answered 404 [http://h/x]',
        hint: 'Check the address.',
        excerpt: [`2 | ${line}`, `  | ${' '.repeat(4 + flag.length)}^^^^^^^^^^`],
      });
    }
  });
});

describe('--link', () => {
  it('makes the same layer whatever the base is, and follows no links', async () => {
    const [alone, above] = await Promise.all([
      build('FROM scratch\nCOPY --link a.txt /lnk/', { files: FILES }),
      onBase('COPY --link a.txt /lnk/'),
    ]);
    expect(above.image.layers.at(-1)?.diffId).toBe(alone.image.layers.at(-1)?.diffId);
    expect(above.list).toContain('lnk/a.txt 644 0:0');
  });

  it('describes parent directories as on an empty base, as BuildKit does, but not with --chmod', async () => {
    const below = 'COPY --chown=5:6 --chmod=711 a.txt /lnk/';
    expect(await listOf(`${below}\nCOPY --link b.txt /lnk/`)).toContain('lnk/ 755 0:0');
    expect(await listOf(`${below}\nCOPY --link --chmod=600 b.txt /lnk/`)).toEqual([
      'lnk/ 711 5:6',
      'lnk/a.txt 711 5:6',
      'lnk/b.txt 600 0:0',
    ]);
  });
});

describe('COPY --from', () => {
  it('takes from stages by name, in any case, and by number, and from images', async () => {
    const { list } = await build(
      'FROM scratch AS One\nCOPY a.txt /\nFROM scratch\nCOPY --from=ONE /a.txt /1\nCOPY --from=0 a.txt /2\nCOPY --from=base /etc/group /3',
      { files: FILES, images: BASE },
    );
    expect(list).toEqual(['1 644 0:0', '2 644 0:0', '3 644 0:0']);
  });

  it("ignores the source's working directory, and keeps owners", async () => {
    expect(
      await listOf(
        'COPY --chown=5:6 a.txt /\nWORKDIR /w\nCOPY b.txt .\nFROM scratch\nWORKDIR /here\nCOPY --from=0 a.txt .',
      ),
    ).toEqual(['here/ 755 0:0', 'here/a.txt 644 5:6']);
  });

  it('refuses later stages, its own stage, and numbers of no stage', async () => {
    const said = async (text: string) => (await failure(text, { files: FILES })).message;
    expect(await said('FROM scratch\nCOPY --from=later a /\nFROM scratch AS later')).toBe(
      'Dockerfile:2: this stage comes later [later]',
    );
    expect(await said('FROM scratch AS me\nCOPY --from=me a /')).toBe(
      'Dockerfile:2: a stage cannot take from itself [me]',
    );
    expect(await said('FROM scratch\nFROM scratch\nCOPY --from=1 a /')).toBe(
      'Dockerfile:3: no earlier stage has this number [1]',
    );
  });
});
