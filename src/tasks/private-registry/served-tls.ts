// The certificates of a registry that runs: the operator's, or those of an own CA that is made at first use.
import { hostname } from 'node:os';
import { join, resolve } from 'node:path';
import { authorityFile } from '../../certificates/authority-file.ts';
import type { TlsContexts } from '../../certificates/contract.ts';
import { USER_SPACE_HOST } from '../../nodes/addresses.ts';
import { ImagesError } from '../../oci/errors.ts';
import { formatListenAddress, type ListenAddress } from '../../server/address.ts';
import { ownInterfaces } from './own-interfaces.ts';

/** What an operator says on the command line. */
export interface TlsOptions {
  /** `auto`: certificates of an own CA, for the names that clients ask for. */
  readonly tls?: string;
  /** PEM: the certificate, and those that lead to its root. With `tlsKey`, in place of `tls`. */
  readonly tlsCertificate?: string;
  readonly tlsKey?: string;
  /** For which names and ranges of addresses alone the own CA can make certificates; all without it. Fixed when the CA is made. */
  readonly tlsNames?: readonly string[];
}

/** Where the own CA and its certificates are. */
export function tlsDirectory(data: string): string {
  return join(data, 'images/tls');
}

/** The certificate of the own CA. */
export function ownAuthorityFile(data: string): string {
  return authorityFile(tlsDirectory(data));
}

/** Where HTTPS is wanted and no address is said to have it, all have it. Errors: USAGE (an address has it, and there is no certificate). */
export function withTls(listen: readonly ListenAddress[], options: TlsOptions): readonly ListenAddress[] {
  const secure = listen.find(({ tls }) => tls);
  if (isTlsWanted(options)) return secure ? listen : listen.map((address) => ({ ...address, tls: true }));
  if (!secure) return listen;
  throw new ImagesError('USAGE', `there is no certificate for [${formatListenAddress(secure)}]`, {
    hint: 'Add --tls=auto, or --tls-cert=FILE --tls-key=FILE.',
  });
}

/** Errors: USAGE (options that do not go together). */
export function checkTlsOptions(options: TlsOptions): void {
  const { tls, tlsCertificate, tlsKey, tlsNames } = options;
  const wrong = (what: string, hint: string) => new ImagesError('USAGE', what, { hint });
  if (tls !== undefined && tls !== 'auto')
    throw wrong(`unknown kind of TLS [--tls=${tls}]`, 'Write --tls=auto, or --tls-cert=FILE --tls-key=FILE.');
  if ((tlsCertificate === undefined) !== (tlsKey === undefined))
    throw wrong('a certificate and its key are needed', 'Give both: --tls-cert=FILE --tls-key=FILE.');
  if (tls !== undefined && tlsCertificate !== undefined)
    throw wrong('--tls=auto makes certificates, and one is given', 'Give --tls=auto or --tls-cert, not both.');
  if (tlsNames?.length && tls === undefined)
    throw wrong('--tls-names limits the own CA, which is not used', 'Add --tls=auto.');
}

export interface ServedTls extends TlsOptions {
  readonly data: string;
  /** Host names that the operator gave; asked each time. */
  readonly names: () => readonly string[];
  readonly onNotice: ((text: string) => void) | undefined;
}

/** Returns `undefined` where HTTPS is not wanted. Errors: CONFIG_INVALID, FILE_UNREADABLE, NO_ACCESS, READ_ONLY, NO_SPACE, USAGE. */
export async function servedTls({ data, names, onNotice, ...options }: ServedTls): Promise<TlsContexts | undefined> {
  checkTlsOptions(options);
  if (!isTlsWanted(options)) return undefined;
  const { contextsFromAuthority, contextsFromFiles } = await import('../../certificates/server-context.ts');
  const told = onNotice ? { onNotice } : {};
  const { tlsCertificate, tlsKey, tlsNames } = options;
  if (tlsCertificate !== undefined && tlsKey !== undefined) {
    return await contextsFromFiles({ certificate: resolve(tlsCertificate), key: resolve(tlsKey) }, told);
  }
  const { openAuthority } = await import('../../certificates/authority.ts');
  const { parseNameConstraints } = await import('../../certificates/name-constraints.ts');
  const directory = tlsDirectory(data);
  const authority = await openAuthority({
    directory,
    machine: hostname(),
    ...(tlsNames?.length && { constraints: parseNameConstraints(tlsNames) }),
  });
  return await contextsFromAuthority({ authority, directory, names: () => [...names(), ...ownNames()], ...told });
}

/** Names and addresses at which clients reach this machine. Clients that use an address name no host (RFC 6066, section 3). */
function ownNames(): readonly string[] {
  const addresses = Object.values(ownInterfaces()).flatMap((all = []) =>
    all.map(({ address }) => address.split('%')[0] ?? ''),
  );
  return ['localhost', hostname().toLowerCase(), USER_SPACE_HOST, ...addresses];
}

/** Whether these options make a registry serve HTTPS. */
export function isTlsWanted({ tls, tlsCertificate }: TlsOptions): boolean {
  return tls !== undefined || tlsCertificate !== undefined;
}
