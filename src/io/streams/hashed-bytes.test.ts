import { createHash } from 'node:crypto';
import { open, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { temporaryDirectory } from '../../../test/peers/temporary.ts';
import { readFileBytes } from '../files/file-bytes.ts';
import { hashedBytes } from './hashed-bytes.ts';

const BYTES = Buffer.concat(['a', 'b', 'c', 'd'].map((text, at) => Buffer.alloc(200_000 + at, text)));
const SUM = createHash('sha256').update(BYTES).digest('hex');

async function fileOf(directory: string, bytes: Uint8Array) {
  const path = join(directory, 'file');
  await writeFile(path, bytes);
  const handle = await open(path);
  return { handle, body: await readFileBytes(handle, { close: true }) };
}

it('a stream is hashed whole, of whatever kind it is', async () => {
  await using directory = await temporaryDirectory('hashed');
  const { body } = await fileOf(directory.path, BYTES);
  async function* chunks() {
    for (let at = 0; at < BYTES.length; at += 70_000) yield BYTES.subarray(at, at + 70_000);
  }
  for (const one of [body, chunks()]) {
    const hash = createHash('sha256');
    let seen = 0;
    await hashedBytes(one, hash, (bytes) => {
      seen += bytes;
      return seen % 2 === 0 ? Promise.resolve() : undefined;
    });
    expect([hash.digest('hex'), seen]).toEqual([SUM, BYTES.length]);
  }
});

it('a file is closed at its end, and when its reader gives up or it cannot be read', async () => {
  await using directory = await temporaryDirectory('hashed');
  const whole = await fileOf(directory.path, BYTES);
  await hashedBytes(whole.body, createHash('sha256'));
  expect(whole.handle.fd).toBe(-1);
  const given = await fileOf(directory.path, BYTES);
  const up = hashedBytes(given.body, createHash('sha256'), () => Promise.reject(new Error('enough')));
  await expect(up).rejects.toThrow('enough');
  expect(given.handle.fd).toBe(-1);
  const cut = await fileOf(directory.path, BYTES);
  await writeFile(join(directory.path, 'file'), 'short');
  await expect(hashedBytes(cut.body, createHash('sha256'))).rejects.toThrow('file ended early');
  expect(cut.handle.fd).toBe(-1);
});
