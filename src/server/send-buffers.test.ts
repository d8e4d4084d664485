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
    expect(buffers.take(MIB)).toBe(first);
    expect(buffers.take(MIB)).not.toBe(first);
  });
});
