import { expect, it } from 'vitest';
import {
  alsoDebugged,
  callOptions,
  type DebugEvent,
  httpOptions,
  storeOptions,
  transportOptions,
  withoutRepeats,
} from './settings.ts';

const RETRY = { type: 'retry', host: 'r.io', what: 'GET x', after: 1, why: 'SERVER_ERROR' } as const;

it('without debugging a listener stays as it is, and events without a listener are not made', () => {
  const onEvent = () => undefined;
  expect(alsoDebugged('hosts', {}, onEvent)).toBe(onEvent);
  expect(alsoDebugged('hosts', {})).toBeUndefined();
});

it('debugging gets each event first, with its topic, then the listener gets it', () => {
  const told: unknown[] = [];
  const onDebug = (event: DebugEvent) => told.push(event);
  alsoDebugged('hosts', { onDebug }, (event) => told.push(event))?.(RETRY);
  expect(told).toEqual([{ topic: 'hosts', event: RETRY }, RETRY]);
  alsoDebugged('hosts', { onDebug })?.(RETRY);
  expect(told).toHaveLength(3);
});

it('options have only what the settings have', () => {
  const { signal } = new AbortController();
  expect([callOptions({}), httpOptions({}), storeOptions({})]).toEqual([{}, {}, {}]);
  expect(callOptions({ signal })).toEqual({ signal });
  expect(transportOptions({ signal, temporaryDirectory: '/t' })).toEqual({ signal, temporaryDirectory: '/t' });
  expect(transportOptions({ temporaryDirectory: '/t' })).toEqual({ temporaryDirectory: '/t' });
});

it('requests and calls of the store become debug events', () => {
  const topics: string[] = [];
  const onDebug = ({ topic }: DebugEvent) => topics.push(topic);
  httpOptions({ onDebug }).onHttp?.({} as never);
  storeOptions({ onDebug }).onCall?.({} as never);
  expect(topics).toEqual(['http', 'store']);
});

it('a note is told once a task, also where a task calls another', () => {
  const notes: string[] = [];
  const settings = { onNote: (text: string) => notes.push(text) };
  const outer = withoutRepeats(settings);
  expect(withoutRepeats(outer)).toBe(outer);
  for (const text of ['one', 'two', 'one']) outer.onNote(text);
  expect(notes).toEqual(['one', 'two']);
  withoutRepeats(settings).onNote('one');
  expect(notes).toEqual(['one', 'two', 'one']);
  expect(withoutRepeats({})).toEqual({});
});
