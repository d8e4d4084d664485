import { expect, it } from 'vitest';
import { createFeed, type Feed } from './feed.ts';
import type { Observation } from './observation.ts';

const notice = (text: string): Observation => ({ type: 'notice', level: 'info', text });
const REQUEST: Observation = {
  ...{ type: 'request', id: 'r', kind: 'ping', method: 'GET', url: '/v2/', status: 200, remote: '::1' },
  ...{ sent: 1, received: 0, duration: 1 },
};

/** Reads until the feed ends. */
async function all(feed: Feed, after?: string): Promise<readonly Record<string, unknown>[]> {
  let text = '';
  const signal = new AbortController().signal;
  const reading = (async () => {
    for await (const piece of feed.watch({ signal, ...(after !== undefined && { after }) })) text += Buffer.from(piece);
  })();
  feed.end();
  await reading;
  return text
    .split('\n\n')
    .flatMap((block) => /^data: (.*)$/m.exec(block)?.[1] ?? [])
    .map((json) => JSON.parse(json) as Record<string, unknown>);
}

const messages = (events: readonly Record<string, unknown>[]) => events.map(({ message }) => message);

it('who watches gets what comes, one event after the other', async () => {
  const feed = createFeed();
  feed.add(notice('before'));
  const stream = feed.watch({ signal: new AbortController().signal })[Symbol.asyncIterator]();
  expect(Buffer.from((await stream.next()).value as Uint8Array).toString()).toMatch(/^: /);
  const next = stream.next();
  feed.add(notice('now'));
  feed.add(REQUEST);
  expect(Buffer.from((await next).value as Uint8Array).toString()).toMatch(/"message":"now".*"event":"request"/s);
  expect(feed.watchers).toBe(1);
  await stream.return?.();
  expect(feed.watchers).toBe(0);
});

it('a cursor goes on where it stands', async () => {
  const feed = createFeed();
  for (const text of ['a', 'b', 'c']) feed.add(notice(text));
  const events = await all(feed, '0');
  expect(messages(events)).toEqual(['a', 'b', 'c']);
  expect(messages(await all(feed, String(events[0]?.cursor)))).toEqual(['b', 'c']);
  expect(messages(await all(feed, String(events[2]?.cursor)))).toEqual([]);
});

it('what was missed is counted, and the oldest that is there comes next', async () => {
  const feed = createFeed({ size: 3 });
  feed.add(notice('0'));
  const [first] = await all(feed, '0');
  for (const text of ['1', '2', '3', '4', '5']) feed.add(notice(text));
  const events = await all(feed, String(first?.cursor));
  expect(events[0]).toMatchObject({ event: 'missed', missed: 2 });
  expect(messages(events.slice(1))).toEqual(['3', '4', '5']);
});

it.each(['ffffffffffff-5', 'nonsense', '-1', ''])(
  'the cursor [%s] of another process, or of none, is told',
  async (cursor) => {
    const feed = createFeed();
    feed.add(notice('a'));
    const events = await all(feed, cursor);
    expect(events[0]).toMatchObject({ event: 'missed', level: 'warn' });
    expect(events[0]).not.toHaveProperty('missed');
    expect(messages(events.slice(1))).toEqual(['a']);
  },
);

it('a slow reader costs its place, and no memory: it is told how many it missed', async () => {
  const feed = createFeed({ size: 10 });
  const stream = feed.watch({ signal: new AbortController().signal })[Symbol.asyncIterator]();
  await stream.next();
  for (let at = 0; at < 1000; at++) feed.add(REQUEST);
  const piece = Buffer.from((await stream.next()).value as Uint8Array).toString();
  expect(piece).toContain('"missed":990');
  expect(piece.match(/"event":"request"/g)).toHaveLength(10);
  await stream.return?.();
});

it('only so many watch at once; those who have gone make room', async () => {
  const feed = createFeed({ most: 2 });
  const [one, other] = [new AbortController(), new AbortController()];
  feed.watch({ signal: one.signal });
  feed.watch({ signal: other.signal });
  expect(() => feed.watch({ signal: other.signal })).toThrow('already 2');
  one.abort();
  expect(feed.watchers).toBe(1);
  feed.watch({ signal: new AbortController().signal });
});

it('probes are not told, a quiet feed says that it is there, and the end is the end', async () => {
  const feed = createFeed({ heartbeat: 1 });
  feed.add({ ...REQUEST, kind: 'health' } as Observation);
  const stream = feed.watch({ after: '0', signal: new AbortController().signal })[Symbol.asyncIterator]();
  await stream.next();
  expect(Buffer.from((await stream.next()).value as Uint8Array).toString()).toBe(': still here\n\n');
  feed.end();
  const left: string[] = [];
  for (let next = await stream.next(); !next.done; next = await stream.next())
    left.push(Buffer.from(next.value).toString());
  expect(left.every((text) => text.startsWith(':'))).toBe(true);
});
