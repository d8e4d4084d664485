// The options of every TLS context of a server.
import { constants } from 'node:crypto';
import type { SecureContextOptions } from 'node:tls';
import type { KeyAndCertificate } from './contract.ts';

/** TLS 1.2 and 1.3 (RFC 9325), and no renegotiation, which costs the server more than the client. */
export function secureOptions({ key, certificate }: KeyAndCertificate): SecureContextOptions {
  return { key, cert: certificate, minVersion: 'TLSv1.2', secureOptions: constants.SSL_OP_NO_RENEGOTIATION };
}
