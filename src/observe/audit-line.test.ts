import { expect, it } from 'vitest';
import type { RequestEvent } from '../server/events.ts';
import { auditLine } from './audit-line.ts';

const request: RequestEvent = {
  type: 'request',
  id: 'r-1',
  kind: 'other',
  method: 'PUT',
  url: '/v2/a/manifests/1',
  status: 201,
  sent: 0,
  received: 9,
  duration: 1,
  remote: '10.0.0.9',
};

it.each<readonly [Partial<RequestEvent>, string]>([
  [{ user: 'anna', via: 'password' }, 'audit: anna 10.0.0.9 PUT /v2/a/manifests/1 201'],
  [{ token: 'ci', via: 'machine' }, 'audit: token:ci 10.0.0.9 PUT /v2/a/manifests/1 201'],
  [{ via: 'nobody' }, 'audit: nobody 10.0.0.9 PUT /v2/a/manifests/1 201'],
  [{ method: 'DELETE', status: 202, user: 'anna' }, 'audit: anna 10.0.0.9 DELETE /v2/a/manifests/1 202'],
  [{ method: 'POST', status: 201, user: 'anna' }, 'audit: anna 10.0.0.9 POST /v2/a/manifests/1 201'],
  [{ method: 'GET', status: 403, code: 'DENIED', user: 'bob' }, 'audit: bob 10.0.0.9 GET /v2/a/manifests/1 403 DENIED'],
  [
    { method: 'GET', status: 401, code: 'UNAUTHORIZED' },
    'audit: unknown 10.0.0.9 GET /v2/a/manifests/1 401 UNAUTHORIZED',
  ],
  [
    { method: 'GET', status: 429, code: 'TOOMANYREQUESTS' },
    'audit: unknown 10.0.0.9 GET /v2/a/manifests/1 429 TOOMANYREQUESTS',
  ],
  [
    { method: 'GET', status: 401, code: 'UNAUTHORIZED', tried: 'anna' },
    'audit: unknown:anna 10.0.0.9 GET /v2/a/manifests/1 401 UNAUTHORIZED',
  ],
])('a write or a refusal has a line: %j', (fields, line) => {
  expect(auditLine({ ...request, ...fields })?.text).toBe(line);
});

it.each<Partial<RequestEvent>>([
  { method: 'GET', status: 200, user: 'anna' },
  { method: 'POST', status: 202, user: 'anna' },
  { method: 'PATCH', status: 202, user: 'anna' },
  { method: 'GET', status: 401, via: 'nobody' },
  { method: 'GET', status: 404 },
])('what is read, a step of an upload, and a challenge have none: %j', (fields) => {
  expect(auditLine({ ...request, ...fields })).toBeUndefined();
});

it.each<Partial<RequestEvent>>([
  { user: 'a\nb', url: '/v2/\u001b[2J' },
  { user: 'anna 10.0.0.1 PUT /v2/other/manifests/1 201' },
  { token: 'ci 10.0.0.1' },
  { tried: 'a\tb\u2028c' },
  { url: '/v2/a\r\n2026 audit: anna' },
])('what others write adds neither a line nor a word: %j', (fields) => {
  const line = auditLine({ ...request, ...fields })?.text ?? '';
  expect(line).not.toMatch(/[\n\r\t\u001b\u2028]/);
  expect(line.split(' ')).toHaveLength(6);
});

it('a user is never taken for a token, for nobody, or for one whose password was wrong', () => {
  const whos = [
    { user: 'ci' },
    { token: 'ci' },
    { tried: 'ci' },
    { user: 'nobody' },
    { via: 'nobody' },
    { user: 'unknown' },
    {},
    { user: 'owner' },
    { via: 'owner' },
  ] as const;
  expect(new Set(whos.map((who) => auditLine({ ...request, ...who })?.text)).size).toBe(whos.length);
});

it('each user has a text of their own', () => {
  const users = ['a b', 'a%20b', 'a\tb', 'a\u202eb', 'a\u200bb', 'a?b', 'ab', 'a\u00a0b', 'ä'];
  const lines = users.map((user) => auditLine({ ...request, user })?.text);
  expect(new Set(lines).size).toBe(users.length);
  expect(lines[0]).toContain('audit: a%20b ');
  expect(auditLine({ ...request, url: '/v2/a%2Fb' })?.text).toContain(' /v2/a%2Fb ');
});

it('a line has an end, whatever is asked for', () => {
  expect(auditLine({ ...request, url: `/v2/${'a'.repeat(60_000)}` })?.text.length).toBeLessThan(400);
});
