// Where the certificate of a CA is: for those who trust it, and need nothing of what makes certificates.
import { join } from 'node:path';

/** The certificate file of the CA in a directory. */
export function authorityFile(directory: string): string {
  return join(directory, 'ca.crt');
}
