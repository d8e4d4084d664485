import { expect, it } from 'vitest';
import { servingSignals } from './serving-signals.ts';

function signals(hasLostTerminal = false) {
  const handlers = { hangUp: () => true, quit: () => {}, second: () => {} };
  const abort = new AbortController();
  const done: string[] = [];
  const does = (what: string) => async () => void done.push(what);
  const serve = servingSignals(
    {
      signal: abort.signal,
      onHangUp: (act) => Object.assign(handlers, { hangUp: act }),
      onQuit: (act) => Object.assign(handlers, { quit: act }),
      onSecond: (act) => Object.assign(handlers, { second: act }),
    },
    () => hasLostTerminal,
  );
  return {
    handlers,
    abort,
    done,
    serve: () => serve({ reload: does('reload'), drain: does('drain'), stopNow: does('stop') }),
  };
}

it('signals are for the registry that serves; a second one ends it at once', () => {
  const { handlers, done, serve, abort } = signals();
  serve();
  expect(handlers.hangUp()).toBe(true);
  abort.abort();
  handlers.second();
  expect(done).toEqual(['reload', 'stop']);
});

it('what was asked for before it serves is done then', () => {
  const { handlers, done, serve } = signals();
  handlers.hangUp();
  handlers.quit();
  handlers.second();
  expect(done).toEqual([]);
  serve();
  expect(done).toEqual(['reload', 'drain']);
});

it('after SIGQUIT the first signal that ends programs is the second', () => {
  const { handlers, done, serve, abort } = signals();
  serve();
  handlers.quit();
  abort.abort();
  expect(done).toEqual(['drain', 'stop']);
});

it('the end of its terminal ends it', () => {
  const { handlers, done, serve } = signals(true);
  serve();
  expect([handlers.hangUp(), done]).toEqual([false, []]);
});
