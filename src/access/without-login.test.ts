import { expect, it } from 'vitest';
import { ownerProof } from './owner-proof.ts';
import { withoutLogin } from './without-login.ts';

const owner = { secret: 'secret', registry: '1.2.3' };
const head = (address: string, authorization?: string) => ({
  method: 'GET',
  url: '/v2/',
  headers: { ...(authorization !== undefined && { authorization }) },
  address,
  isSecure: false,
});
const isLocal = (address: string) => address === '127.0.0.1';
const neighbours = { isLocal, isNear: isLocal, isTrustedProxy: () => false };

it('the owner is known by a proof, on this machine; what others send is ignored', () => {
  const access = withoutLogin(() => true, neighbours, owner);
  const proof = `Bearer ${ownerProof(owner, Date.now())}`;
  expect(access.identify(head('127.0.0.1', proof))).toEqual({ via: 'owner', address: '127.0.0.1' });
  expect(access.identify(head('10.0.0.1', proof))).toEqual({ via: 'nobody', address: '10.0.0.1' });
  for (const other of [undefined, 'Bearer secret', 'Basic YTpi', `${proof}x`]) {
    expect(access.identify(head('127.0.0.1', other))).toEqual({ via: 'nobody', address: '127.0.0.1' });
  }
  const without = withoutLogin(() => true, neighbours);
  expect(without.identify(head('127.0.0.1', proof))).toMatchObject({ via: 'nobody' });
});

it('nobody is asked to log in', () => {
  const access = withoutLogin(() => true, neighbours, owner);
  expect(access.hasToLogIn({ via: 'nobody', address: '10.0.0.1' })).toBe(false);
  expect(access.challenge(head('10.0.0.1'), undefined)).toBeUndefined();
});
