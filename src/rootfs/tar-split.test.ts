import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeName } from '../tar/names.ts';
import { crc64 } from './crc64.ts';
import { joinTarSplit, type OpenFile, readTarSplit } from './tar-split.ts';

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

function sum(bytes: Uint8Array): string {
  const crc = crc64();
  crc.update(bytes);
  return Buffer.from(crc.digest()).toString('base64');
}

/** The form that vbatts/tar-split writes. */
function packed(lines: readonly object[]): AsyncGenerator<Uint8Array> {
  return once(gzipSync(lines.map((line, position) => `${JSON.stringify({ ...line, position })}\n`).join('')));
}

const segment = (bytes: Uint8Array) => ({ type: 2, payload: Buffer.from(bytes).toString('base64') });
const file = (name: string, content: Uint8Array) => ({ type: 1, name, size: content.length, payload: sum(content) });

async function join(lines: readonly object[], open: OpenFile): Promise<Buffer> {
  return Buffer.concat(await Array.fromAsync(joinTarSplit(readTarSplit(packed(lines)), open, { sums: true })));
}

describe('tar-split', () => {
  it('assembles headers and contents in their order', async () => {
    const parts = fc.array(
      fc.oneof(
        fc.uint8Array({ maxLength: 2000 }).map((bytes) => ({ bytes, isFile: false })),
        fc.uint8Array({ minLength: 1, maxLength: 70_000 }).map((bytes) => ({ bytes, isFile: true })),
      ),
      { maxLength: 30 },
    );
    await fc.assert(
      fc.asyncProperty(parts, async (made) => {
        const lines = made.map(({ bytes, isFile }, at) => (isFile ? file(`f${at}`, bytes) : segment(bytes)));
        const whole = await join(lines, (name) => [made[Number(name.slice(1))]?.bytes ?? new Uint8Array()]);
        expect(Buffer.compare(whole, Buffer.concat(made.map(({ bytes }) => bytes)))).toBe(0);
      }),
      { numRuns: 40 },
    );
  });

  it('asks for files by the bytes of their names, and not for empty ones', async () => {
    const raw = Buffer.from([0x6c, 0xe9]);
    const asked: string[] = [];
    const open: OpenFile = (name) => {
      asked.push(name);
      return [Buffer.from('x')];
    };
    const lines = [
      { type: 1, name: 'dir/', payload: null },
      { type: 1, name_raw: raw.toString('base64'), size: 1, payload: sum(Buffer.from('x')) },
      segment(new Uint8Array()),
    ];
    expect((await join(lines, open)).toString()).toBe('x');
    expect(asked).toEqual([decodeName(raw)]);
  });

  it.each([
    ['another content', 'abd', 'its content is another'],
    ['less of it', 'ab', 'it has 2 bytes, not 3'],
    ['more of it', 'abcd', 'it has more than 3 bytes, not 3'],
  ])('names the file that now has %s', async (_, content, why) => {
    const lines = [file('etc/motd', Buffer.from('abc'))];
    await expect(join(lines, () => [Buffer.from(content)])).rejects.toMatchObject({
      code: 'TAR_INVALID',
      message: `a file of the layer has changed since it was unpacked [etc/motd]: ${why}`,
      hint: expect.any(String),
    });
  });

  it.each([
    ['no JSON', '{"type":2,'],
    ['another type', '{"type":3,"position":0}'],
    ['a size that is none', '{"type":1,"name":"x","size":-1,"position":0}'],
    ['entries that are missing', '{"type":2,"payload":"","position":1}'],
  ])('refuses %s', async (_, text) => {
    const reading = Array.fromAsync(readTarSplit(once(gzipSync(`${text}\n`))));
    await expect(reading).rejects.toMatchObject({ code: 'TAR_INVALID', message: expect.stringContaining('entry [0]') });
  });
});
