import { expect, it } from 'vitest';
import type { WatchedEvent } from '../../tasks/private-registry/watch-registry.ts';
import { testProgram } from '../testing/program.ts';
import { watchLine } from './lreg-watch.ts';

const event = (fields: Record<string, unknown>): WatchedEvent => ({
  ...{ time: '2026-11-30T23:01:02.000Z', cursor: 'c-1', level: 'info', event: 'request', message: 'said' },
  fields: { who: 'anna', address: '10.0.0.7', status: 200, sent: 0, received: 0, duration: 1.5, ...fields },
});

it.each([
  [{ kind: 'manifest-get', method: 'GET', repository: 'a', reference: '1' }, 'pulls a:1: 200, 1.5 ms'],
  [{ kind: 'blob-get', method: 'HEAD', repository: 'a', reference: 'sha256:1' }, 'looks for a@sha256:1: 200, 1.5 ms'],
  [
    { kind: 'blob-get', method: 'GET', host: 'quay.io', repository: 'a', digest: 'sha256:1', sent: 5e6, duration: 500 },
    'pulls quay.io/a@sha256:1: 200, 5.0 MB in 0.5 s (10.0 MB/s)',
  ],
  [
    { kind: 'manifest-put', method: 'PUT', repository: 'a', status: 403, code: 'DENIED' },
    'pushes a: 403 DENIED, 1.5 ms',
  ],
  [{ kind: 'catalog', method: 'GET' }, 'lists repositories: 200, 1.5 ms'],
  [{ kind: 'other', method: 'GET', path: '/x' }, 'GET /x: 200, 1.5 ms'],
])('of a request %j is shown who does what, and how fast', (fields, shown) => {
  expect(watchLine(event(fields))).toBe(`23:01:02 anna@10.0.0.7 ${shown}`);
});

it('other events say themselves what they are', () => {
  expect(watchLine({ ...event({}), event: 'notice', level: 'warn' })).toBe('23:01:02 WARNING: said');
});

it('lreg_watch refuses a type that there is not, and says if nothing runs', async () => {
  const { run } = await testProgram();
  await expect(run('lreg_watch', '--type=pull,mull')).rejects.toMatchObject({ code: 'USAGE' });
  await expect(run('lreg_watch')).rejects.toMatchObject({ code: 'NO_REGISTRY' });
});
