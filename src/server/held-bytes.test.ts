// The limit for bytes held in memory for slow clients, in total and for each client, so that one cannot use up the share of others.
import { expect, it } from 'vitest';
import { createHeldBytes, type Hold } from './held-bytes.ts';

const KIB = 1024;
const limits = { heldBytes: 1000 * KIB, heldBytesPerClient: 500 * KIB };
const refused = { code: 'TOOMANYREQUESTS' };

function hold(held: ReturnType<typeof createHeldBytes>, client: string, kib: number): Hold {
  const one = held.open(client);
  one.add(kib * KIB);
  return one;
}

it('memory for answers is refused to the client that holds most first', () => {
  const held = createHeldBytes(limits);
  const first = hold(held, 'a', 400);
  expect(() => hold(held, 'a', 101)).toThrow(expect.objectContaining(refused));
  hold(held, 'a', 100);
  hold(held, 'b', 500);
  expect(() => hold(held, 'c', 65)).toThrow(expect.objectContaining(refused));
  first[Symbol.dispose]();
  hold(held, 'c', 65);
});

it('memory for bodies counts as bytes come, and is released once, however often that is asked for', () => {
  const held = createHeldBytes(limits);
  const growing = held.open('a');
  for (let count = 0; count < 450; count++) growing.add(KIB);
  expect(() => hold(held, 'a', 70)).toThrow(expect.objectContaining(refused));
  growing[Symbol.dispose]();
  growing[Symbol.dispose]();
  hold(held, 'a', 440);
  expect(() => hold(held, 'a', 70)).toThrow(expect.objectContaining(refused));
});

it('memory that was refused does not count as held', () => {
  const held = createHeldBytes(limits);
  const other = hold(held, 'a', 100);
  const growing = hold(held, 'a', 300);
  expect(() => growing.add(200 * KIB)).toThrow(expect.objectContaining(refused));
  other[Symbol.dispose]();
  hold(held, 'a', 200);
});

it('memory for small bodies is never refused, and a single body may exceed the limit', () => {
  const held = createHeldBytes(limits);
  hold(held, 'a', 2000);
  for (let count = 0; count < 100; count++) hold(held, 'a', 64);
  expect(() => hold(held, 'b', 65)).toThrow(expect.objectContaining(refused));
});
