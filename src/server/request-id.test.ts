import { expect, it } from 'vitest';
import { requestIds } from './request-id.ts';

it.each(['7f3e-1', '0af7651916cd43dd8448eb211c80319c', 'a.b:c+d=', 'x'.repeat(64)])(
  'the id [%s] is taken over',
  (id) => {
    expect(requestIds()(id)).toBe(id);
  },
);

it.each([undefined, '', 'x'.repeat(65), 'a b', 'a\nb', '"', 'a,b', 'é', 'https://x/?token=1', ['a', 'b']])(
  'instead of the id %j a new one is given',
  (id) => {
    expect(requestIds()(id)).toMatch(/^[0-9a-f]{12}-1$/);
  },
);

it('no id is given twice, nor by two processes', () => {
  const [one, other] = [requestIds(), requestIds()];
  expect(new Set([one(undefined), one(undefined), other(undefined), other(undefined)]).size).toBe(4);
});
