import { expect, it } from 'vitest';
import type { RequestEvent } from '../server/events.ts';
import { createAuditLog } from './audit-log.ts';

function scene() {
  const clock = { ms: 0 };
  const log = createAuditLog(() => clock.ms);
  const request = {
    type: 'request',
    id: 'r-1',
    kind: 'other',
    url: '/v2/a/manifests/1',
    sent: 0,
    received: 0,
    duration: 1,
  } as const;
  const refused = (remote = '10.0.0.9') =>
    log.linesFor({ ...request, method: 'GET', status: 401, code: 'UNAUTHORIZED', remote });
  const written = (): readonly string[] =>
    log.linesFor({ ...request, method: 'PUT', status: 201, user: 'anna', remote: '10.0.0.9' } satisfies RequestEvent);
  const countOf = (times: number, ask: () => readonly string[]) =>
    Array.from({ length: times }, ask).filter((lines) => lines.length > 0).length;
  return { clock, refused, written, countOf };
}

it('who is refused very often has a line each second, and the others are counted', () => {
  const { clock, refused, countOf } = scene();
  expect(countOf(1000, () => refused())).toBe(100);
  clock.ms += 1000;
  const [count, line] = refused();
  expect(count).toBe('audit: 900 more refusals came before this, too fast');
  expect(line).toMatch(/^audit: unknown 10\.0\.0\.9 GET/);
  expect(refused()).toEqual([]);
});

it('who is refused very often takes no line from others, and none from writes', () => {
  const { refused, written, countOf } = scene();
  countOf(1000, () => refused());
  expect(refused('10.0.0.8').at(-1)).toContain('10.0.0.8');
  expect(countOf(1000, written)).toBe(1000);
});

it('many addresses together fill no log, nor the memory', () => {
  const { refused, countOf } = scene();
  let address = 0;
  expect(countOf(5000, () => refused(`fd00::${(address++).toString(16)}`))).toBe(1000);
});

it('what is read has no line, and counts for nothing', () => {
  const log = createAuditLog(() => 0);
  const read = {
    type: 'request',
    id: 'r-1',
    kind: 'other',
    method: 'GET',
    url: '/v2/',
    status: 200,
    sent: 0,
    received: 0,
    duration: 1,
  } as const;
  expect(log.linesFor({ ...read, remote: '10.0.0.9' })).toEqual([]);
});
