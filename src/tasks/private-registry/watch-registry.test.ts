import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { eventually } from '../../../test/testing/eventually.ts';
import { temporaryWorld } from '../testing/temporary-world.ts';
import { eventData } from './event-stream.ts';
import { serveRegistry } from './serve-registry.ts';
import { type WatchedEvent, watchRegistry } from './watch-registry.ts';

it('what happens is told, also by the registry that comes after this one', async () => {
  const world = await temporaryWorld();
  onTestFinished(() => world[Symbol.asyncDispose]());
  const config = await world.file('rules.toml', '[[rule]]\nrepositories = "open/**"\nallow = ["pull"]\n');
  const notes: string[] = [];
  const ending = new AbortController();
  const data = join(world.path, 'data');
  const settings = { ...world.settings({}, { data, config }), onNote: (text: string) => void notes.push(text) };
  await expect(watchRegistry({}, settings).next()).rejects.toMatchObject({ code: 'NO_REGISTRY' });
  const start = () => serveRegistry({ listen: ['127.0.0.1:0'], version: '1' }, world.settings({}, { data, config }));
  const first = await start();
  const seen: WatchedEvent[] = [];
  const watching = (async () => {
    // Who may not pull everything is the owner here.
    for await (const event of watchRegistry({ since: '0' }, { ...settings, signal: ending.signal })) seen.push(event);
  })();
  await eventually(() => seen.some(({ event }) => event === 'serving'));
  const ask = async (port = 0) => await (await fetch(`http://127.0.0.1:${port}/v2/secret/manifests/1`)).text();
  await ask(first.state.addresses[0]?.port);
  await eventually(() => seen.some(({ fields }) => fields.status === 403));
  await first[Symbol.asyncDispose]();
  await eventually(() => notes.includes('The registry has gone: waiting for it.'));
  const second = await start();
  onTestFinished(() => second[Symbol.asyncDispose]());
  await eventually(() => seen.some(({ event }) => event === 'missed'));
  await ask(second.state.addresses[0]?.port);
  await eventually(() => seen.filter(({ fields }) => fields.status === 403).length === 2);
  ending.abort(new Error('enough'));
  await expect(watching).rejects.toThrow('enough');
});

it('events are found in their text, however it is cut', async () => {
  const text = ': hello\n\nid: 1\ndata: {"a":1}\n\nid: 2\r\ndata:{"b":2}\r\n\r\n';
  for (const size of [1, 3, 1000]) {
    const pieces = (async function* () {
      for (let at = 0; at < text.length; at += size) yield text.slice(at, at + size);
    })();
    const found: string[] = [];
    for await (const data of eventData(pieces)) found.push(data);
    expect(found).toEqual(['{"a":1}', '{"b":2}']);
  }
});
