import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { testProgram } from '../testing/program.ts';
import { createReporter } from './reporter.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

it('bars are drawn while blobs come, with lines above them, and then no more', async () => {
  const { context, drawn } = await testProgram({ isTTY: true });
  const reporter = await createReporter(context);
  reporter.onEvent({ type: 'image', image: 'a:1' });
  vi.advanceTimersByTime(1000);
  expect(drawn()).toContain('=== a:1\n');
  reporter.onEvent({ type: 'plan', images: 1, blobs: 2, bytes: 3000, alreadyThere: 0 });
  vi.advanceTimersByTime(1000);
  expect(drawn()).toContain('0 B of 3.0 kB');
  reporter.note('a note');
  expect(drawn()).toMatch(/a note\n.*0 B of 3\.0 kB/s);
  reporter.finish();
  drawn();
  vi.advanceTimersByTime(1000);
  reporter.finish();
  expect(drawn()).not.toContain('of 3.0 kB');
});

it('a copy of nothing draws no bars', async () => {
  const { context, drawn } = await testProgram({ isTTY: true });
  const reporter = await createReporter(context);
  reporter.onEvent({ type: 'plan', images: 1, blobs: 0, bytes: 0, alreadyThere: 9 });
  vi.advanceTimersByTime(1000);
  expect(drawn()).toBe('');
});

it('without a terminal there are lines', async () => {
  const { context, drawn, noted } = await testProgram();
  const reporter = await createReporter(context);
  reporter.onEvent({ type: 'image', image: 'a:1' });
  reporter.onEvent({ type: 'plan', images: 1, blobs: 2, bytes: 3000, alreadyThere: 0 });
  reporter.finish();
  expect([drawn(), noted()]).toEqual(['', ['=== a:1']]);
});
