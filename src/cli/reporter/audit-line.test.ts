import { expect, it } from 'vitest';
import type { RequestEvent } from '../../server/events.ts';
import { auditLine } from './audit-line.ts';

const request: RequestEvent = {
  type: 'request',
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
  [{ token: 'ci', via: 'machine' }, 'audit: token ci 10.0.0.9 PUT /v2/a/manifests/1 201'],
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
])('a write or a refusal has a line: %j', (fields, line) => {
  expect(auditLine({ ...request, ...fields })).toBe(line);
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

it('a name of others writes no second line', () => {
  expect(auditLine({ ...request, user: 'a\nb', url: '/v2/\u001b[2J' })).not.toMatch(/[\n\u001b]/);
});
