// Archives of the programs that are installed, in all their formats, against GNU tar's listing of the same archive.
import { execFileSync, spawnSync } from 'node:child_process';
import {
  closeSync,
  ftruncateSync,
  linkSync,
  lutimesSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readTar } from './reader.ts';
import { evenly, inChunks, listed, listedWhole } from './testing/listing.ts';

const has = (program: string, ...args: readonly string[]): boolean => {
  const { status } = spawnSync(program, args.length > 0 ? args : ['--version'], { input: '' });
  return status === 0;
};
const IS_GNU = spawnSync('tar', ['--version']).stdout?.toString().includes('GNU tar') ?? false;
const ENVIRONMENT = { ...process.env, TZ: 'UTC', LC_ALL: 'C.UTF-8' };

let top = '';
beforeAll(() => {
  top = mkdtempSync(join(tmpdir(), 'images-tar-'));
  makeTree(join(top, 'short'), false);
  makeTree(join(top, 'long'), true);
});
afterAll(() => rmSync(top, { recursive: true, force: true }));

function makeTree(directory: string, isLong: boolean): void {
  mkdirSync(join(directory, 'sub'), { recursive: true });
  const file = (name: string | Buffer, content: string, mode = 0o644): void => {
    const path = Buffer.concat([Buffer.from(`${directory}/`), Buffer.from(name)]);
    writeFileSync(path, content, { mode });
    utimesSync(path, 1_234_567_890.25, 1_234_567_890.25);
  };
  file('empty', '');
  file('sub/content', 'x'.repeat(1000), 0o640);
  file('sub/set-id', 's', 0o755);
  file('sub/name with blanks, \\ and "quotes"', 'q');
  file('sub/größe-日本', 'utf-8');
  linkSync(join(directory, 'sub/content'), join(directory, 'sub/hard'));
  symlinkSync('sub/content', join(directory, 'soft'));
  execFileSync('mkfifo', [join(directory, 'pipe')]);
  if (isLong) {
    file(Buffer.from([0x62, 0xff, 0xfe]), 'no utf-8');
    const deep = Array.from({ length: 12 }, (_, index) => `a-directory-of-some-length-${index}`).join('/');
    mkdirSync(join(directory, deep), { recursive: true });
    file(`${deep}/file`, 'deep');
    file('n'.repeat(150), 'long');
    file(Buffer.concat([Buffer.from('m'.repeat(150)), Buffer.from([0xe9])]), 'long and no utf-8');
    linkSync(join(directory, 'n'.repeat(150)), join(directory, 'hard-to-long'));
    symlinkSync('t'.repeat(200), join(directory, 'soft-to-long'));
    file('old', 'before 1970');
    utimesSync(join(directory, 'old'), -86_400.5, -86_400.5);
    lutimesSync(join(directory, 'soft-to-long'), -1, -1);
  }
}

/** GNU tar's own listing. */
function gnuListing(archive: Uint8Array): readonly string[] {
  const args = ['--full-time', '--numeric-owner', '-tvf', '-'];
  const text = execFileSync('tar', args, { input: archive, env: ENVIRONMENT, maxBuffer: 1 << 26, stdio: 'pipe' });
  return text.toString().trimEnd().split('\n').map(evenly);
}

interface Writer {
  readonly name: string;
  readonly isThere: boolean;
  readonly tree: 'short' | 'long';
  write(directory: string): Uint8Array;
}

const run = (program: string, ...args: readonly string[]): Buffer =>
  execFileSync(program, args, { env: ENVIRONMENT, maxBuffer: 1 << 26, stdio: 'pipe' });

const PYTHON = `
import sys, tarfile
archive = tarfile.open(fileobj=sys.stdout.buffer, mode='w|', format=getattr(tarfile, sys.argv[1]), errors='surrogateescape')
archive.add(sys.argv[2], 'tree')
archive.close()
`;

const WRITERS: readonly Writer[] = [
  ...(['v7', 'oldgnu', 'gnu', 'ustar', 'pax'] as const).map((format) => ({
    name: `GNU tar --format=${format}`,
    isThere: IS_GNU,
    tree: format === 'v7' || format === 'ustar' ? ('short' as const) : ('long' as const),
    write: (directory: string) => {
      // The oldest format (v7) has no type for named pipes.
      const leftOut = format === 'v7' ? ['--exclude=./pipe'] : [];
      return run('tar', '-C', directory, `--format=${format}`, ...leftOut, '-cf', '-', '.');
    },
  })),
  ...(['v7', 'ustar', 'pax', 'gnutar'] as const).map((format) => ({
    name: `bsdtar --format=${format}`,
    isThere: has('bsdtar'),
    tree: format === 'v7' || format === 'ustar' ? ('short' as const) : ('long' as const),
    write: (directory: string) => run('bsdtar', '-C', directory, `--format=${format}`, '-cf', '-', '.'),
  })),
  {
    name: 'busybox tar',
    isThere: has('busybox', 'true'),
    tree: 'long',
    write: (directory) => run('busybox', 'tar', '-C', directory, '-cf', '-', '.'),
  },
  ...(['USTAR_FORMAT', 'GNU_FORMAT', 'PAX_FORMAT'] as const).map((format) => ({
    name: `Python's tarfile, ${format}`,
    isThere: has('python3'),
    tree: format === 'USTAR_FORMAT' ? ('short' as const) : ('long' as const),
    write: (directory: string) => run('python3', '-c', PYTHON, format, directory),
  })),
];

const GO = `
package main

import (
	"archive/tar"
	"os"
	"strings"
	"time"
)

func main() {
	formats := map[string]tar.Format{"USTAR": tar.FormatUSTAR, "PAX": tar.FormatPAX, "GNU": tar.FormatGNU}
	format := formats[os.Args[1]]
	archive := tar.NewWriter(os.Stdout)
	add := func(header tar.Header, content string) {
		header.Format = format
		header.Size = int64(len(content))
		if header.ModTime.IsZero() {
			header.ModTime = time.Unix(1234567890, 0)
		}
		if err := archive.WriteHeader(&header); err != nil {
			panic(err)
		}
		archive.Write([]byte(content))
	}
	add(tar.Header{Typeflag: tar.TypeDir, Name: "dir/", Mode: 01777}, "")
	add(tar.Header{Name: "dir/file", Mode: 0640, Uid: 1000, Gid: 2000}, "content")
	add(tar.Header{Typeflag: tar.TypeLink, Name: "dir/hard", Linkname: "dir/file"}, "")
	add(tar.Header{Typeflag: tar.TypeSymlink, Name: "dir/soft", Linkname: "file"}, "")
	add(tar.Header{Typeflag: tar.TypeChar, Name: "null", Devmajor: 1, Devminor: 3}, "")
	add(tar.Header{Name: strings.Repeat("directory/", 20) + "file"}, "prefix")
	if format != tar.FormatUSTAR {
		add(tar.Header{Name: strings.Repeat("n", 200), Uid: 5000000, Mode: 04755}, "long")
		add(tar.Header{Name: "größe"}, "utf-8")
		add(tar.Header{Typeflag: tar.TypeSymlink, Name: "soft", Linkname: strings.Repeat("t", 200)}, "")
		add(tar.Header{Name: "old", ModTime: time.Unix(-86400, 0)}, "before 1970")
	}
	if format == tar.FormatPAX {
		records := map[string]string{"SCHILY.xattr.security.capability": "\\x01\\x02"}
		add(tar.Header{Name: "fine", ModTime: time.Unix(1, 5), PAXRecords: records}, "x")
	}
	archive.Close()
}
`;

describe('an archive of', () => {
  for (const { name, isThere, tree, write } of WRITERS) {
    it.skipIf(!isThere || !IS_GNU)(
      `${name} is what GNU tar says it is (skipped where it is not installed)`,
      async () => {
        const archive = write(join(top, tree));
        const expected = gnuListing(archive);
        expect(expected.length).toBeGreaterThan(8);
        expect(await listed(archive)).toEqual(expected);
        expect((await listedWhole(archive)).length).toBe(expected.length);
      },
    );
  }
});

describe.skipIf(!has('go', 'version') || !IS_GNU)(
  "archives of Go's archive/tar (skipped where Go is not installed)",
  () => {
    let program = '';
    beforeAll(() => {
      program = join(top, 'go-tar');
      writeFileSync(join(top, 'main.go'), GO);
      run('go', 'build', '-o', program, join(top, 'main.go'));
    });

    it.each(['USTAR', 'PAX', 'GNU'])('in its format %s are what GNU tar says they are', async (format) => {
      const archive = run(program, format);
      expect(await listed(archive)).toEqual(gnuListing(archive));
    });

    it('bring capabilities of files', async () => {
      const last = (await Array.fromAsync(readTar(inChunks(run(program, 'PAX'))))).at(-1);
      expect([...(last?.xattrs.keys() ?? [])]).toEqual(['security.capability']);
    });
  },
);

describe.skipIf(!IS_GNU)('sparse files of GNU tar (skipped where it is not installed)', () => {
  const FILES: Readonly<Record<string, { readonly size: number; readonly pieces: readonly number[] }>> = {
    hole: { size: 3_000_000, pieces: [] },
    few: { size: 2_000_001, pieces: [0, 1_000_000] },
    end: { size: 1_000_000, pieces: [999_424] },
    many: { size: 40 * 65_536, pieces: Array.from({ length: 40 }, (_, index) => index * 65_536) },
  };
  let directory = '';
  beforeAll(() => {
    directory = join(top, 'sparse');
    mkdirSync(directory);
    for (const [name, { size, pieces }] of Object.entries(FILES)) {
      const file = openSync(join(directory, name), 'w');
      ftruncateSync(file, size);
      for (const [index, at] of pieces.entries()) writeSync(file, `piece ${index}`, at);
      closeSync(file);
    }
  });

  it.each([
    ['gnu', '--format=gnu'],
    ['oldgnu', '--format=oldgnu'],
    ['pax 0.0', '--format=pax', '--sparse-version=0.0'],
    ['pax 0.1', '--format=pax', '--sparse-version=0.1'],
    ['pax 1.0', '--format=pax', '--sparse-version=1.0'],
  ])('in the form %s come back, and are few bytes in the archive', async (_, ...options) => {
    const archive = run('tar', '-C', directory, '--sparse', ...options, '-cf', '-', ...Object.keys(FILES));
    expect(archive.length).toBeLessThan(500_000);
    expect(await listed(archive)).toEqual(gnuListing(archive));
    for await (const entry of readTar(inChunks(archive, 10_000))) {
      const content = Buffer.concat(await Array.fromAsync(entry.body));
      expect(content.equals(readFileSync(join(directory, entry.name)))).toBe(true);
      expect(entry.sparse).toBeDefined();
    }
  });
});
