import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Warning } from './contract.ts';
import { openFileTree } from './file-tree.ts';

let top = '';
let warnings: Warning[] = [];
const open = (directory = top) => openFileTree(directory, (warning) => warnings.push(warning));
const put = (file: string, content: string | Uint8Array = '') => {
  mkdirSync(join(top, file, '..'), { recursive: true });
  writeFileSync(join(top, file), content);
};

beforeEach(() => {
  top = mkdtempSync(join(tmpdir(), 'images-tree-'));
  warnings = [];
});
afterEach(() => rmSync(top, { recursive: true, force: true }));

describe('a file tree', () => {
  it('lists all files in byte order, without what version control, npm and build services keep', () => {
    for (const file of [
      'b/x.yaml',
      'a.yml',
      'a/é.json',
      'a/z.txt',
      '.git/config.yaml',
      '.devcontainer/d.json',
      'node_modules/p/p.json',
    ])
      put(file);
    expect(open().files).toEqual(['a.yml', 'a/z.txt', 'a/é.json', 'b/x.yaml']);
  });

  it('follows links to files and directories, and never upwards', () => {
    put('in/a.yaml');
    mkdirSync(join(top, 'scanned/deep'), { recursive: true });
    writeFileSync(join(top, 'scanned/own.yaml'), '');
    symlinkSync(join(top, 'in'), join(top, 'scanned/linked'));
    symlinkSync(join(top, 'in/a.yaml'), join(top, 'scanned/file.yaml'));
    symlinkSync(join(top, 'scanned'), join(top, 'scanned/deep/loop'));
    symlinkSync(top, join(top, 'scanned/deep/up'));
    symlinkSync('itself', join(top, 'scanned/itself'));
    symlinkSync('nowhere', join(top, 'scanned/broken.yaml'));
    expect(open(join(top, 'scanned')).files).toEqual(['file.yaml', 'linked/a.yaml', 'own.yaml']);
    expect(warnings).toEqual([]);
  });

  it('lists a directory under its own name and under those of links to it', () => {
    put('library/a.yaml');
    for (const chart of ['one', 'two']) {
      mkdirSync(join(top, chart), { recursive: true });
      symlinkSync('../library', join(top, chart, 'library'));
    }
    expect(open().files).toEqual(['library/a.yaml', 'one/library/a.yaml', 'two/library/a.yaml']);
  });

  it('comes to an end where directories link to each other', () => {
    for (const name of ['a', 'b', 'c']) put(`${name}/x.yaml`);
    for (const from of ['a', 'b', 'c']) {
      for (const to of ['a', 'b', 'c']) if (from !== to) symlinkSync(`../${to}`, join(top, from, to));
    }
    const { files } = open();
    expect(files).toContain('a/x.yaml');
    expect(files).toContain('a/b/x.yaml');
    expect(files.length).toBeLessThan(30);
  });

  it('leaves out vendor directories of Go, and no other directory of that name', () => {
    for (const file of ['vendor/modules.txt', 'vendor/x/pod.yaml', 'deploy/vendor/pod.yaml']) put(file);
    expect(open().files).toEqual(['deploy/vendor/pod.yaml']);
  });

  it('reads UTF-8 and UTF-16 without their marks', async () => {
    put('8.yaml', '\ufeffa: é');
    put('16le.yaml', Buffer.from('\ufeffa: é', 'utf16le'));
    put('16be.yaml', Buffer.from('\ufeffa: é', 'utf16le').swap16());
    const tree = open();
    for (const file of tree.files) expect(await tree.read(file)).toBe('a: é');
  });

  it('gives the documents of a file, and a warning once for what does not parse', async () => {
    for (const file of ['Kustomization', 'a.yaml']) put(file, 'a: 1\n---\nb: [\n');
    const tree = open();
    for (const file of tree.files) {
      expect((await tree.documents(file)).map(({ value }) => value)).toEqual([{ a: 1 }]);
      expect(await tree.documents(file)).toHaveLength(1);
    }
    // For a manifest the scan itself warns, when it reads the remaining lines.
    expect(warnings).toMatchObject([{ file: 'Kustomization', line: 3 }]);
    expect([...tree.broken]).toEqual(['Kustomization', 'a.yaml']);
    expect(tree.has('a.yaml') && !tree.has('b.yaml')).toBe(true);
  });

  it('warns of a file that it was not given', async () => {
    expect(await open().read('gone.yaml')).toBe('');
    expect(warnings).toMatchObject([{ file: 'gone.yaml' }]);
  });

  it.skipIf(process.getuid?.() === 0)('warns of a directory that it may not read (skipped for root, who may)', () => {
    put('closed/a.yaml');
    chmodSync(join(top, 'closed'), 0);
    expect(open().files).toEqual([]);
    expect(warnings).toMatchObject([{ file: 'closed' }]);
    chmodSync(join(top, 'closed'), 0o700);
  });

  it('refuses what is no directory', () => {
    put('a.yaml');
    expect(() => open(join(top, 'nothing'))).toThrow(expect.objectContaining({ code: 'FILE_UNREADABLE' }));
    expect(() => open(join(top, 'a.yaml'))).toThrow(expect.objectContaining({ code: 'FILE_UNREADABLE' }));
  });

  it('reads a file once even if several rules see it, and keeps little in memory for that', async () => {
    put('a.yaml', 'one');
    put('large.yaml', Buffer.alloc((16 << 20) + 1, 0x61));
    const tree = open();
    await tree.bytes('a.yaml');
    await tree.bytes('large.yaml');
    put('a.yaml', 'two');
    put('large.yaml', 'small');
    expect([await tree.read('a.yaml'), await tree.read('a.yaml')]).toEqual(['one', 'two']);
    expect(await tree.read('large.yaml')).toBe('small');
  });
});
