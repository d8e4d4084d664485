import { execFileSync, spawnSync } from 'node:child_process';
import { linkSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isImagesError } from '../oci/errors.ts';
import { readTar } from './reader.ts';

const has = (program: string): boolean => spawnSync(program, ['--version']).status === 0;
const LONG = `${'d'.repeat(90)}/${'e'.repeat(90)}/${'f'.repeat(90)}.txt`;
const DIALECTS = [
  ...['v7', 'oldgnu', 'gnu', 'ustar', 'pax'].map((format) => ({ program: 'tar', format })),
  ...['ustar', 'pax', 'gnutar'].map((format) => ({ program: 'bsdtar', format })),
];

let top = '';
beforeAll(() => {
  top = mkdtempSync(join(tmpdir(), 'images-tar-'));
  mkdirSync(join(top, 'tree/sub'), { recursive: true });
  writeFileSync(join(top, 'tree/empty'), '');
  writeFileSync(join(top, 'tree/sub/a.txt'), 'x'.repeat(1000), { mode: 0o640 });
  linkSync(join(top, 'tree/sub/a.txt'), join(top, 'tree/sub/hard'));
  symlinkSync('sub/a.txt', join(top, 'tree/soft'));
});
afterAll(() => rmSync(top, { recursive: true, force: true }));

async function* inChunks(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function listed(bytes: Uint8Array, size = 700): Promise<readonly string[]> {
  const lines: string[] = [];
  for await (const entry of readTar(inChunks(bytes, size))) {
    let length = 0;
    for await (const portion of entry.body) length += portion.length;
    lines.push(`${entry.type} ${entry.name} ${entry.linkname} ${length}`.replace(/ {2,}/g, ' '));
  }
  return lines;
}

function archive(program: string, ...args: readonly string[]): Uint8Array {
  return execFileSync(program, ['-C', top, ...args, '-cf', '-', 'tree'], { maxBuffer: 1 << 24 });
}

describe('an archive', () => {
  for (const { program, format } of DIALECTS) {
    it.skipIf(!has(program))(`of ${program} --format=${format} (skipped where it is not installed)`, async () => {
      const lines = await listed(archive(program, `--format=${format}`));
      expect(lines).toHaveLength(6);
      expect(lines).toContain('directory tree/sub/ 0');
      expect(lines).toContain('file tree/empty 0');
      expect(lines).toContain('symlink tree/soft sub/a.txt 0');
      expect(lines.filter((line) => /^file tree\/sub\/(?:a.txt|hard) 1000$/.test(line))).toHaveLength(1);
      expect(lines.filter((line) => line.startsWith('hardlink tree/sub/'))).toHaveLength(1);
    });
  }

  for (const { program, format } of DIALECTS.filter(({ format }) => format !== 'v7' && format !== 'ustar')) {
    it.skipIf(!has(program))(
      `of ${program} --format=${format} with long names (skipped where it is not installed)`,
      async () => {
        const directory = join(top, `long-${program}-${format}`);
        mkdirSync(join(directory, LONG, '..'), { recursive: true });
        writeFileSync(join(directory, LONG), 'long');
        symlinkSync(LONG, join(directory, 'link'));
        const bytes = execFileSync(program, ['-C', directory, `--format=${format}`, '-cf', '-', LONG, 'link']);
        expect(await listed(bytes)).toEqual([`file ${LONG} 4`, `symlink link ${LONG} 0`]);
      },
    );
  }

  it('says who owns a file, since when, and what may be done with it', async () => {
    const bytes = archive('tar', '--format=pax', '--mtime=@1000.5', '--owner=a:12', '--group=b:3000000', '--mode=4751');
    for await (const entry of readTar(inChunks(bytes, 512))) {
      if (entry.name === 'tree/empty') {
        expect(entry).toMatchObject({
          mode: 0o4751,
          uid: 12,
          gid: 3_000_000,
          mtime: { seconds: 1000, nanoseconds: 500_000_000 },
          size: 0,
        });
      }
    }
    const gnu = archive('tar', '--format=gnu', '--owner=a:3000000');
    for await (const entry of readTar(inChunks(gnu, 512))) expect(entry.uid).toBe(3_000_000);
  });

  it('is the same in chunks of any size, read or skipped', async () => {
    const bytes = archive('tar', '--format=pax');
    const whole = await listed(bytes, bytes.length);
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 3000 }), async (size) => {
        expect(await listed(bytes, size)).toEqual(whole);
        const names: string[] = [];
        for await (const { name } of readTar(inChunks(bytes, size))) names.push(name);
        expect(names).toHaveLength(whole.length);
      }),
      { numRuns: 20 },
    );
  });

  it('may end without blocks of zeros', async () => {
    const bytes = archive('tar', '--format=ustar');
    const whole = await listed(bytes);
    let end = bytes.length;
    while (bytes[end - 1] === 0) end--;
    expect(await listed(bytes.subarray(0, Math.ceil(end / 512) * 512))).toEqual(whole);
  });
});

describe('what is no archive', () => {
  it('is refused: other bytes, and whatever breaks off', async () => {
    const bytes = archive('tar', '--format=ustar');
    const file = await listed(readFileSync(import.meta.filename)).catch((error: unknown) => error);
    expect(isImagesError(file, 'TAR_INVALID')).toBe(true);
    await expect(listed(bytes.subarray(0, 100))).rejects.toMatchObject({ code: 'TAR_INVALID' });
    const changed = Uint8Array.from(bytes);
    changed[0] = 0x41;
    await expect(listed(changed)).rejects.toMatchObject({ code: 'TAR_INVALID' });
  });

  it('never makes anything but a TAR_INVALID of it', async () => {
    const bytes = archive('tar', '--format=pax');
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.nat(bytes.length - 1), fc.nat(255)), { maxLength: 20 }),
        async (changes) => {
          const broken = Uint8Array.from(bytes);
          for (const [at, value] of changes) broken[at] = value;
          await listed(broken).catch((error: unknown) => expect(isImagesError(error, 'TAR_INVALID')).toBe(true));
        },
      ),
      { numRuns: 200 },
    );
  });
});
