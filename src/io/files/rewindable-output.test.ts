import { open, readdir, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { temporaryDirectory } from '../../../test/peers/temporary.ts';
import { fileOutput, pipeOutput } from './rewindable-output.ts';

const bytes = (text: string) => [Buffer.from(text)];

it('output can be taken back to the last mark, in a file and before a pipe', async () => {
  await using directory = await temporaryDirectory('output');
  const path = join(directory.path, 'f');
  const sent: Uint8Array[] = [];
  const send = async (chunk: Uint8Array) => {
    sent.push(chunk);
  };
  for (const output of [await fileOutput(path), pipeOutput(send, tmpdir())]) {
    await output.write(bytes('one '));
    await output.mark();
    await output.write(bytes('wrong '));
    await output.rewind();
    await output.write(bytes('two '));
    await output.write(bytes('three'));
    await output.finish();
    await output[Symbol.asyncDispose]();
  }
  expect(await readFile(path, 'utf8')).toBe('one two three');
  expect(Buffer.concat(sent).toString()).toBe('one two three');
});

it('output that is held back and exceeds memory goes into a file without a name', async () => {
  await using directory = await temporaryDirectory('output');
  const big = Buffer.alloc(5 << 20, 'x');
  const sent: Uint8Array[] = [];
  await using output = pipeOutput(async (chunk) => {
    sent.push(chunk);
  }, directory.path);
  for (const fill of ['a', 'b', 'c']) await output.write([Buffer.alloc(big.length, fill)]);
  expect(sent).toEqual([]);
  expect(await readdir(directory.path)).toEqual([]);
  await output.rewind();
  for (const fill of ['d', 'e', 'f']) await output.write([Buffer.alloc(big.length, fill)]);
  await output.mark();
  await output.write(bytes('end'));
  await output.finish();
  const all = Buffer.concat(sent);
  expect(all.length).toBe(3 * big.length + 3);
  expect(all.subarray(0, big.length).every((byte) => byte === 0x64)).toBe(true);
  expect(all.subarray(-4).toString()).toBe('fend');
});

it('output can be a range of a file', async () => {
  await using directory = await temporaryDirectory('output');
  const [from, to] = [join(directory.path, 'from'), join(directory.path, 'to')];
  const content = Buffer.from(Array.from({ length: 9_000_001 }, (_, at) => at % 251));
  await writeFile(from, content);
  const handle = await open(from);
  const sent: Uint8Array[] = [];
  const send = async (chunk: Uint8Array) => {
    sent.push(chunk);
  };
  for (const output of [await fileOutput(to), pipeOutput(send, directory.path)]) {
    await output.write(bytes('before'));
    await output.copy(handle, 7, 9_000_000);
    await output.write(bytes('after'));
    await output.finish();
    await output[Symbol.asyncDispose]();
  }
  await handle.close();
  const expected = Buffer.concat([Buffer.from('before'), content.subarray(7, 9_000_000), Buffer.from('after')]);
  expect((await readFile(to)).equals(expected)).toBe(true);
  expect(Buffer.concat(sent).equals(expected)).toBe(true);
});

it('output that is not finished leaves what was there, and nothing else', async () => {
  await using directory = await temporaryDirectory('output');
  const path = join(directory.path, 'f');
  await writeFile(path, 'old');
  {
    await using output = await fileOutput(path);
    await output.write([Buffer.alloc(3 << 20)]);
    await output.mark();
  }
  expect(await readdir(directory.path)).toEqual(['f']);
  expect(await readFile(path, 'utf8')).toBe('old');
});
