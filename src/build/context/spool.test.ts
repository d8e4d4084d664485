import { writeSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type TemporaryDirectory, temporaryDirectory } from '../../../test/peers/temporary.ts';
import { createSpool, type Spool } from './spool.ts';

const PIECE = 1 << 20;
/** Bytes that depend on their offset. */
const CONTENT = Buffer.alloc(5 * PIECE + 7);
for (let at = 0; at + 4 <= CONTENT.length; at += 4) CONTENT.writeUInt32LE(at, at);

let directory: TemporaryDirectory;
let spool: Spool;
beforeEach(async () => {
  directory = await temporaryDirectory('spool');
  spool = await createSpool(directory.path);
});
afterEach(async () => {
  await spool[Symbol.asyncDispose]();
  await directory[Symbol.asyncDispose]();
});

describe('a spool', () => {
  it('gives what was put into it, as often as it is read', async () => {
    await spool.append(CONTENT);
    for (const passing of [false, true]) {
      const pieces: Buffer[] = [];
      for await (const piece of spool.read({ passing })) pieces.push(Buffer.from(piece));
      expect(Buffer.concat(pieces).equals(CONTENT)).toBe(true);
    }
  });

  it('gives chunks that are not overwritten later', async () => {
    await spool.append(CONTENT);
    expect(Buffer.concat(await Array.fromAsync(spool.read())).equals(CONTENT)).toBe(true);
  });

  it('keeps a chunk that is only passed on unchanged until the next but one is asked for', async () => {
    await spool.append(CONTENT);
    let before: Uint8Array | undefined;
    let at = 0;
    for await (const piece of spool.read({ passing: true })) {
      // The next chunk has been requested, and may have arrived.
      await new Promise((done) => setTimeout(done, 5));
      if (before) expect(CONTENT.subarray(at - PIECE, at).equals(before)).toBe(true);
      expect(CONTENT.subarray(at, at + PIECE).equals(piece)).toBe(true);
      at += piece.length;
      before = piece;
    }
    expect(at).toBe(CONTENT.length);
  });

  it('gives what another process is still writing, to its last byte', async () => {
    let end = () => {};
    const isOver = new Promise<void>((done) => {
      end = done;
    });
    const read = Array.fromAsync(spool.read({ isOver }));
    for (let at = 0; at < CONTENT.length; at += 300_000) {
      writeSync(spool.fd, CONTENT.subarray(at, at + 300_000));
      await new Promise((done) => setTimeout(done, at % 3));
    }
    end();
    expect(Buffer.concat(await read).equals(CONTENT)).toBe(true);
  });

  it('can be closed by a reader that has read only a part', async () => {
    await spool.append(CONTENT);
    for await (const piece of spool.read()) {
      expect(piece.length).toBe(PIECE);
      break;
    }
  });
});
