import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { BuildEvent } from '../../build/request.ts';
import { buildReporter } from './build-lines.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const step = (text: string, id = 1): BuildEvent => ({ type: 'step', id, stage: 'base', text });
const done = (text: string, cached: boolean, id = 1): BuildEvent => ({
  type: 'step-done',
  id,
  stage: 'base',
  text,
  cached,
  why: cached ? 'remembered' : 'unknown',
});
const output = (chunk: Uint8Array | string, id = 1): BuildEvent => ({
  type: 'output',
  id,
  stage: 'base',
  chunk: Buffer.from(chunk),
});

function reporter() {
  let text = '';
  const { onEvent, onOutput } = buildReporter((more) => {
    text += more;
  });
  return { onOutput, say: (...events: readonly BuildEvent[]) => events.forEach(onEvent), text: () => text };
}

it('says each step once: a quick one when it is done, a long one when that is seen', () => {
  const { say, text } = reporter();
  say(step('COPY a b'), done('COPY a b', true));
  expect(text()).toBe('=== [base] COPY a b (cached)\n');
  say(step('COPY c d', 2), done('COPY c d', false, 2));
  expect(text()).toMatch(/COPY c d\n$/);
  say(step('ADD e f', 3));
  expect(text()).not.toContain('ADD');
  vi.advanceTimersByTime(1000);
  expect(text()).toMatch(/ADD e f\n$/);
  const before = text();
  say(done('ADD e f', false, 3));
  vi.advanceTimersByTime(1000);
  expect(text()).toBe(before);
});

it('says a step before its output, which comes as it is', () => {
  const { say, text } = reporter();
  say(step('RUN make'), output('one\n'), output('two\n'), done('RUN make', false));
  expect(text()).toBe('=== [base] RUN make\none\ntwo\n');
});

it('writes characters whole that arrive in parts, for each step on its own', () => {
  const { say, text } = reporter();
  const bytes = Buffer.from('é');
  say(step('RUN a'), output(''), output(bytes.subarray(0, 1)), output('x', 2), output(bytes.subarray(1)));
  expect(text()).toBe('=== [base] RUN a\nxé');
});

it('has warnings and the output of scripts, and nothing that drives the terminal but colours', () => {
  const { say, text, onOutput } = reporter();
  say({ type: 'warning', message: 'odd\nthing \u001b[2J' }, { type: 'bytes', id: 1, count: 5 });
  onOutput(Buffer.from('\u001b[31mred\u001b[0m \u001b[2Jtext\n'));
  expect(text()).toBe('WARNING: odd thing ?[2J\n\u001b[31mred\u001b[0m [2Jtext\n');
});

it('cuts long instructions, and puts them on one line', () => {
  const { say, text } = reporter();
  const long = `RUN echo \\\n  ${'x'.repeat(300)}`;
  say(step(long), done(long, true));
  expect(text()).toMatch(/^=== \[base\] RUN echo \\ x+… \(cached\)\n$/);
  expect(text().length).toBeLessThan(150);
});
