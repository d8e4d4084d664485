// The options of `serve` and `lreg_start` that are about HTTPS.
import type { TlsOptions } from '../../tasks/private-registry/served-tls.ts';
import type { Options } from './options.ts';

/** What does not go together is refused by the task. */
export function tlsOptions(options: Options): TlsOptions {
  const [tls, tlsCertificate, tlsKey] = [options.text('tls'), options.text('tls-cert'), options.text('tls-key')];
  const tlsNames = options.texts('tls-names').flatMap((text) => text.split(','));
  return {
    ...(tls !== undefined && { tls }),
    ...(tlsCertificate !== undefined && { tlsCertificate }),
    ...(tlsKey !== undefined && { tlsKey }),
    ...(tlsNames.length > 0 && { tlsNames }),
  };
}
