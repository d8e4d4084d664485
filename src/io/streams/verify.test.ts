import { describe, expect, it } from 'vitest';
import { digestOf } from '../../oci/digest.ts';
import { brokeOff, tapped, verified, verifies } from './verify.ts';

const content = Buffer.from('hello, registry');
const expected = { digest: digestOf(content), size: content.length };

async function* chunks(...parts: readonly string[]): AsyncGenerator<Uint8Array> {
  for (const part of parts) yield Buffer.from(part);
}

async function collect(body: AsyncIterable<Uint8Array>): Promise<string> {
  const parts: Uint8Array[] = [];
  for await (const chunk of body) parts.push(chunk);
  return Buffer.concat(parts).toString();
}

describe('a verified stream', () => {
  it('passes what is expected through, chunk by chunk', async () => {
    expect(await collect(verified(chunks('hello', ', registry'), expected))).toBe('hello, registry');
  });

  it('closes what it reads, even if it is left before its first byte', async () => {
    let closed = 0;
    const body: AsyncIterableIterator<Uint8Array> = {
      [Symbol.asyncIterator]: () => body,
      next: async () => ({ done: false, value: content }),
      return: async () => {
        closed += 1;
        return { done: true, value: undefined };
      },
    };
    const begin = () => tapped(verified(body, expected), () => {})[Symbol.asyncIterator]();
    await begin().return?.();
    expect(closed).toBe(1);
    const begun = begin();
    await begun.next();
    await begun.return?.();
    expect(closed).toBe(2);
  });

  it('verifies sha512 too', async () => {
    const sha512 = { digest: digestOf(content, 'sha512'), size: content.length };
    expect(await collect(verified(chunks('hello, registry'), sha512))).toBe('hello, registry');
    await expect(collect(verified(chunks('hello, registrY'), sha512))).rejects.toMatchObject({
      code: 'DIGEST_INVALID',
    });
  });

  it('throws before its end when the content is another one', async () => {
    await expect(collect(verified(chunks('hello, registrY'), expected))).rejects.toMatchObject({
      code: 'DIGEST_INVALID',
    });
  });

  it('throws at once when more comes than expected, before passing it on', async () => {
    const seen: string[] = [];
    const reading = async () => {
      for await (const chunk of verified(chunks('hello, ', 'registry!', 'and more'), expected)) seen.push(`${chunk}`);
    };
    const error = await reading().catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'SIZE_INVALID' });
    expect(brokeOff(error)).toBe(false);
    expect(seen).toHaveLength(1);
  });

  it('says that it broke off when it ends early', async () => {
    const error = await collect(verified(chunks('hello'), expected)).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'SIZE_INVALID', message: expect.stringContaining('broke off after 5 of 15') });
    expect(brokeOff(error)).toBe(true);
  });

  it('is known to be verified, also behind a listener, and is not verified twice', () => {
    const stream = verified(chunks('hello, registry'), expected);
    expect(verifies(stream, expected)).toBe(true);
    expect(verifies(stream, { ...expected, size: 3 })).toBe(false);
    expect(verifies(chunks('hello, registry'), expected)).toBe(false);
    expect(verified(stream, expected)).toBe(stream);
    expect(
      verifies(
        tapped(stream, () => {}),
        expected,
      ),
    ).toBe(true);
    expect(
      verifies(
        tapped(chunks('x'), () => {}),
        expected,
      ),
    ).toBe(false);
  });

  it('goes on after a beginning that is hashed already', async () => {
    const { createHash } = await import('node:crypto');
    const start = { hash: createHash('sha256').update('hello, '), size: 7 };
    expect(await collect(verified(chunks('registry'), expected, start))).toBe('registry');
    const wrong = { hash: createHash('sha256').update('hallo, '), size: 7 };
    await expect(collect(verified(chunks('registry'), expected, wrong))).rejects.toMatchObject({
      code: 'DIGEST_INVALID',
    });
  });
});
