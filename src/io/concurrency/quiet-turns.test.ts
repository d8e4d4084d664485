import { setImmediate } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { quietTurns } from './quiet-turns.ts';

const NEVER = { rest: 3_600_000, longest: 7_200_000 };

/** Tells whether the turn has come. */
function watched(turn: Promise<Disposable>) {
  const seen = { hasCome: false };
  void turn.then(() => {
    seen.hasCome = true;
  });
  return seen;
}

it('a turn comes when nothing is busy any more, and one at a time', async () => {
  const turns = quietTurns({ rest: 0, longest: 3_600_000 });
  const [first, second] = [turns.busy(), turns.busy()];
  const [a, b] = [turns.enter(), turns.enter()];
  const [isA, isB] = [watched(a), watched(b)];
  expect(turns.size).toBe(2);
  first[Symbol.dispose]();
  await setImmediate();
  expect(isA.hasCome).toBe(false);
  second[Symbol.dispose]();
  const turn = await a;
  await setImmediate();
  expect(isB.hasCome).toBe(false);
  turn[Symbol.dispose]();
  (await b)[Symbol.dispose]();
  expect(turns.size).toBe(0);
});

it('after work it rests for a while first; where nothing was ever busy, a turn comes at once', async () => {
  const turns = quietTurns(NEVER);
  (await turns.enter())[Symbol.dispose]();
  turns.busy()[Symbol.dispose]();
  const turn = watched(turns.enter());
  await setImmediate();
  expect(turn.hasCome).toBe(false);
});

it('comes anyway after a while, and at once when all ends', async () => {
  const impatient = quietTurns({ rest: 3_600_000, longest: 1 });
  using _busy = impatient.busy();
  (await impatient.enter())[Symbol.dispose]();
  const turns = quietTurns(NEVER);
  using _more = turns.busy();
  const ending = new AbortController();
  const [a, b] = [turns.enter(ending.signal), turns.enter(ending.signal)];
  ending.abort();
  (await a)[Symbol.dispose]();
  (await b)[Symbol.dispose]();
});
