import { expect, it } from 'vitest';
import { httpFailure } from './http-failure.ts';

const hintOf = (code: string): string => {
  const failure = httpFailure('r.example:5000', Object.assign(new Error('refused'), { code }));
  expect(failure).toMatchObject({
    code: 'UNREACHABLE',
    message: `cannot reach r.example:5000: its certificate is not accepted [${code}]`,
  });
  return (failure as { readonly hint?: string }).hint ?? '';
};

it('a certificate that is refused is told of with what helps: the CA, the right time, or the right name', () => {
  for (const code of ['SELF_SIGNED_CERT_IN_CHAIN', 'UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'DEPTH_ZERO_SELF_SIGNED_CERT'])
    expect(hintOf(code)).toContain('/etc/containers/certs.d/r.example:5000/ca.crt');
  const clock = /if the clock of this machine is right: it says \d{4}-\d\d-\d\dT\d\d:\d\dZ\.$/;
  expect(hintOf('CERT_NOT_YET_VALID')).toMatch(clock);
  expect(hintOf('CERT_HAS_EXPIRED')).toMatch(clock);
  for (const code of ['ERR_TLS_CERT_ALTNAME_INVALID', 'HOSTNAME_MISMATCH'])
    expect(hintOf(code)).toContain('It is for other names');
});
