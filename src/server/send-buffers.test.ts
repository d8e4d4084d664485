import { describe, expect, it } from 'vitest';
import { createSendBuffers } from './send-buffers.ts';

const MIB = 1024 * 1024;

describe('buffers for sending', () => {
  it('are large for few transfers, and small enough for the bytes that are wanted', () => {
    const buffers = createSendBuffers(64 * MIB);
    expect(buffers.take(100 * MIB).length).toBe(2 * MIB);
    expect(buffers.take(100_000).length).toBe(128 * 1024);
    expect(buffers.take(1).length).toBe(64 * 1024);
  });

  it('are alike for as many transfers as there are, after a few turns', () => {
    const buffers = createSendBuffers(144 * MIB);
    let taken = Array.from({ length: 128 }, () => buffers.take(100 * MIB));
    for (let turn = 0; turn < 8; turn++)
      taken = taken.map((buffer) => {
        buffers.give(buffer);
        return buffers.take(100 * MIB);
      });
    expect(new Set(taken.map(({ length }) => length))).toEqual(new Set([MIB]));
  });

  it('stay within their limit, up to the smallest for each, however many have them and never give them back', () => {
    const buffers = createSendBuffers(16 * MIB);
    const taken = Array.from({ length: 4096 }, () => buffers.take(100 * MIB).length);
    const sum = taken.reduce((all, size) => all + size, 0);
    expect(sum).toBeLessThanOrEqual(16 * MIB + 4096 * 64 * 1024);
    expect(taken.at(-1)).toBe(64 * 1024);
  });

  it('are used again, by whoever comes next', () => {
    const buffers = createSendBuffers(64 * MIB);
    const first = buffers.take(MIB);
    buffers.give(first);
    expect(buffers.take(MIB) === first).toBe(true);
    expect(buffers.take(MIB) === first).toBe(false);
  });

  it('that are given back twice are not given to two', () => {
    const buffers = createSendBuffers(64 * MIB);
    const first = buffers.take(MIB);
    buffers.give(first);
    buffers.give(first);
    const [second, third] = [buffers.take(MIB), buffers.take(MIB)];
    expect([second === first, third === first]).toEqual([true, false]);
  });

  it('are freed at once where there is no room to keep them', () => {
    const buffers = createSendBuffers(8 * MIB);
    const [first, second] = [buffers.take(2 * MIB), buffers.take(2 * MIB)];
    const others = Array.from({ length: 64 }, () => buffers.take(100 * MIB));
    buffers.give(first);
    buffers.give(second);
    expect([first.length, second.length]).toEqual([0, 0]);
    expect(others.every(({ length }) => length > 0)).toBe(true);
  });

  it('of other sizes that nobody has give way to those that are wanted', () => {
    const buffers = createSendBuffers(8 * MIB);
    const large = Array.from({ length: 3 }, () => buffers.take(2 * MIB));
    for (const buffer of large) buffers.give(buffer);
    for (let nth = 0; nth < 64; nth++) buffers.take(64 * 1024);
    expect(large.map(({ length }) => length)).toContain(0);
  });
});
