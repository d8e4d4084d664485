import { expect, it } from 'vitest';
import { alreadyRunning } from './already-running.ts';
import type { RegistryState } from './registry-record.ts';

it('the addresses of a running registry are in the message, in brackets where they are IPv6', () => {
  const addresses = [
    { host: '127.0.0.1', port: 5000 },
    { host: '::', port: 80 },
  ];
  expect(alreadyRunning({ addresses } as unknown as RegistryState).message).toBe(
    'the embedded registry runs already [127.0.0.1:5000, [::]:80]',
  );
});
