// Parent directories that an instruction creates below a set-group-ID directory: as in BuildKit, the rules are those of mkdir(2) and inode_init_owner.
import { describe, expect, it } from 'vitest';
import { archiveOf, type TestEntry } from '../rootfs/testing/layers.ts';
import { build, type TestBuild } from './testing/build.ts';

const BASE: readonly TestEntry[] = [
  { name: 's/', mode: 0o2775, uid: 4, gid: 33 },
  { name: 's/plain/', mode: 0o755, uid: 4, gid: 33 },
  { name: 'lnk', linkname: 's' },
  { name: 'etc/passwd', content: 'bob:x:1000:1001::/home/bob:/bin/sh\n' },
];

const listOf = async (lines: string, more: TestBuild = {}): Promise<readonly string[]> => {
  const files = [
    { name: 'f', content: 'f' },
    { name: 'd/x', content: 'x' },
  ];
  const { list } = await build(`FROM base\n${lines}`, { images: { base: { entries: BASE } }, files, ...more });
  return list.filter((line) => /^s\/(?! |plain\/ )/.test(line));
};

describe('below a set-group-ID directory', () => {
  it('WORKDIR makes directories of its group, with the bit, and so on below them', async () => {
    expect(await listOf('WORKDIR /s/a/b')).toEqual(['s/a/ 2755 0:33', 's/a/b/ 2755 0:33']);
    expect(await listOf('WORKDIR /lnk/a')).toEqual(['s/a/ 2755 0:33']);
    expect(await listOf('WORKDIR /s/plain/a')).toEqual(['s/plain/a/ 755 0:0']);
  });

  it('another user keeps his own group; the bit stays', async () => {
    expect(await listOf('USER bob\nWORKDIR /s/a')).toEqual(['s/a/ 2755 1000:1001']);
    expect(await listOf('COPY --chown=5:6 f /s/a/')).toEqual(['s/a/ 2755 5:6', 's/a/f 644 5:6']);
  });

  it('COPY and ADD make missing parents so; what they copy keeps its own owner and mode', async () => {
    expect(await listOf('COPY f /s/a/')).toEqual(['s/a/ 2755 0:33', 's/a/f 644 0:0']);
    expect(await listOf('COPY d /s/n')).toEqual(['s/n/ 2755 0:33', 's/n/x 644 0:0']);
    expect(await listOf('COPY . /s/')).toEqual(['s/d/ 755 0:0', 's/d/x 644 0:0', 's/f 644 0:0']);
    expect(await listOf('COPY --chmod=0700 f /s/a/')).toEqual(['s/a/ 2700 0:33', 's/a/f 700 0:0']);
    expect(await listOf('COPY <<EOF /s/h/e\ntext\nEOF')).toEqual(['s/h/ 2755 0:33', 's/h/e 644 0:0']);
  });

  it('parents that one instruction made are known to the next one, and to the next stage', async () => {
    expect(await listOf('COPY f d /s/a/\nWORKDIR /s/a/w')).toEqual([
      's/a/ 2755 0:33',
      's/a/f 644 0:0',
      's/a/w/ 2755 0:33',
      's/a/x 644 0:0',
    ]);
    expect(await listOf('COPY --link f /s/a/')).toEqual(['s/a/ 755 0:0', 's/a/f 644 0:0']);
  });

  it('an archive is unpacked so: directories that it does not describe belong to root, with the bit', async () => {
    const content = await archiveOf([
      { name: 'in/f', content: 'f', uid: 7, gid: 7 },
      { name: 'own/', mode: 0o750, uid: 7, gid: 7 },
    ]);
    expect(await listOf('ADD ovl.tar /s/a/', { files: [{ name: 'ovl.tar', content }] })).toEqual([
      's/a/ 2755 0:33',
      's/a/in/ 2755 0:0',
      's/a/in/f 644 7:7',
      's/a/own/ 750 7:7',
    ]);
  });

  it('a directory that the same archive makes set-group-ID counts as well', async () => {
    const content = await archiveOf([
      { name: 'g/', mode: 0o2770, uid: 0, gid: 50 },
      { name: 'f', content: 'f' },
    ]);
    const { list } = await build('FROM scratch\nADD ovl.tar /\nWORKDIR /g/w', {
      files: [{ name: 'ovl.tar', content }],
    });
    expect(list).toContain('g/w/ 2755 0:50');
  });
});
