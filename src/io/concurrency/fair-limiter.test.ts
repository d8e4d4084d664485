import { setImmediate } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { createFairLimiter, type FairLimits } from './fair-limiter.ts';

/** Calls that run until they are told to end, by their name: `PARTY KEY NUMBER`. */
function scene(limits: Omit<FairLimits, 'waiting'>) {
  const limit = createFairLimiter({ waiting: 100, ...limits });
  const running = new Map<string, () => void>();
  const order: string[] = [];
  return {
    running,
    order,
    begin: (name: string, signal?: AbortSignal) => {
      const [party = '', key = ''] = name.split(' ');
      const work = () => {
        order.push(name);
        return new Promise<void>((resolve) => running.set(name, resolve));
      };
      return limit({ key, party }, work, signal);
    },
    end: async (name: string) => {
      running.get(name)?.();
      running.delete(name);
      await setImmediate();
    },
  };
}

it('parties that wait take turns, however much one of them wants', async () => {
  const { begin, end, order } = scene({ all: 1, each: 1, eachParty: 1 });
  for (let at = 1; at <= 4; at++) void begin(`a host ${at}`);
  void begin('b host 1');
  void begin('c host 1');
  for (let at = 0; at < 6; at++) await end(order[at] ?? '');
  expect(order).toEqual(['a host 1', 'a host 2', 'b host 1', 'c host 1', 'a host 3', 'a host 4']);
});

it('one party leaves room for others at the same key, and a key leaves room for others', async () => {
  const { begin, order } = scene({ all: 8, each: 4, eachParty: 2 });
  for (let at = 1; at <= 3; at++) void begin(`a host ${at}`);
  for (let at = 1; at <= 3; at++) void begin(`b host ${at}`);
  void begin('c host 1');
  void begin('a other 1');
  expect(order).toEqual(['a host 1', 'a host 2', 'b host 1', 'b host 2', 'a other 1']);
});

it('never runs more than it may, all together, and ends with nothing left', async () => {
  const { begin, end, order, running } = scene({ all: 3, each: 3, eachParty: 3 });
  const all = Array.from({ length: 30 }, (_, at) => begin(`${at % 4} ${at % 5} ${at}`));
  for (let at = 0; at < 30; at++) {
    expect(running.size).toBeLessThanOrEqual(3);
    await end([...running.keys()][0] ?? '');
  }
  await Promise.all(all);
  expect(new Set(order).size).toBe(30);
});

it('who gives up while waiting is never run, and the next has its turn; a failure frees its place', async () => {
  const { begin, end, order } = scene({ all: 1, each: 1, eachParty: 1 });
  void begin('a host 1');
  const gone = new AbortController();
  const given = begin('b host 1', gone.signal);
  void begin('c host 1');
  gone.abort(new Error('enough'));
  await expect(given).rejects.toThrow('enough');
  await end('a host 1');
  expect(order).toEqual(['a host 1', 'c host 1']);
  const limit = createFairLimiter({ all: 1, each: 1, eachParty: 1, waiting: 1 });
  const turn = { key: 'host', party: 'a' };
  await expect(limit(turn, () => Promise.reject(new Error('broken')))).rejects.toThrow('broken');
  expect(await limit(turn, async () => 'fine')).toBe('fine');
  await expect(begin('a host 9', AbortSignal.abort(new Error('before')))).rejects.toThrow('before');
});

it('so much waits of one party, and no more', async () => {
  const limit = createFairLimiter({ all: 1, each: 1, eachParty: 1, waiting: 2 });
  const open = Promise.withResolvers<void>();
  const ask = (party: string, key = 'host') => limit({ key, party }, () => open.promise);
  const all = [ask('a'), ask('a'), ask('a', 'other')];
  await expect(ask('a')).rejects.toMatchObject({ code: 'TOOMANYREQUESTS' });
  all.push(ask('b'));
  open.resolve();
  await Promise.all(all);
});
