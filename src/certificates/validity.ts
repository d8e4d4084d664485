// From when to when clients take a certificate.
import { X509Certificate } from 'node:crypto';

export interface Validity {
  readonly notBefore: Date;
  readonly expires: Date;
}

/** Of the first certificate in a PEM text. */
export function validityOf(certificate: string): Validity {
  const { validFromDate, validToDate } = new X509Certificate(certificate);
  return { notBefore: validFromDate, expires: validToDate };
}
