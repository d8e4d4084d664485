import { open, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { temporaryDirectory } from '../../../test/peers/temporary.ts';
import type { TestEntry } from '../../rootfs/testing/layers.ts';
import { storedSnapshots } from './stored-snapshots.ts';
import { madeContainerd } from './testing/made-containerd.ts';

const XATTRS = new Map([['security.capability', Buffer.from('0100000200040000', 'hex')]]);
const device = { major: 5, minor: 1 };
const LONG = `${'a'.repeat(120)}/${'b'.repeat(200)}`;
const LAYERS: readonly (readonly TestEntry[])[] = [
  [
    { name: 'd/', mode: 0o2775 },
    { name: 'd/old', content: 'old' },
    { name: 'tty', type: 'character', device },
    { name: 'tty2', type: 'hardlink', linkname: 'tty' },
    { name: 'su', content: 's', mode: 0o4755, uid: 2 ** 31 - 2, xattrs: XATTRS },
    { name: 'caf\udce9', content: 'bytes' },
    { name: 'line\nbreak', type: 'symlink', linkname: 'caf\udce9' },
    { name: 'link', type: 'hardlink', linkname: 'caf\udce9' },
    { name: LONG, content: 'long' },
    { name: 'time', content: 't', mtime: { seconds: -5, nanoseconds: 125_000_000 } },
  ],
  [{ name: 'd/.wh..wh..opq' }, { name: 'd/new', content: 'new' }, { name: '.wh.su' }, { name: '.wh.nothing' }],
  [],
];
const IMAGES = [1, 2, 3].map((count) => ({
  names: [`docker.io/library/a:${count}`],
  layers: LAYERS.slice(0, count),
}));

it.each([
  ['with the blobs of layers', true],
  ['without them', false],
] as const)('an archive that is updated has the bytes of one that is made anew, %s', async (_, withLayers) => {
  await using directory = await temporaryDirectory('stored');
  const path = join(directory.path, 'old.tar');
  await writeFile(path, (await madeContainerd(IMAGES.slice(1))).archive);
  const handle = await open(path);
  try {
    const stored = await storedSnapshots(handle, {});
    const { archive, written } = await madeContainerd(IMAGES, { withLayers, stored });
    expect(written.taken).toBe(written.layers);
    expect(archive.equals((await madeContainerd(IMAGES, { withLayers })).archive)).toBe(true);
  } finally {
    await handle.close();
  }
});
