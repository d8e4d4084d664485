// The names that a certificate can have: host names and IP addresses, never patterns. Pure.
import { isIP } from 'node:net';

export type CertificateName =
  | { readonly kind: 'dns'; readonly name: string }
  | { readonly kind: 'ip'; readonly address: string };

/** In lower case only, so that no name has two certificates. */
const HOST_NAME = /^(?=.{1,253}$)[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)*$/;

/** A host name of any case or an IP address without a zone; `undefined` if it is neither. */
export function certificateName(text: string): CertificateName | undefined {
  if (isIP(text) && !text.includes('%')) return { kind: 'ip', address: text.toLowerCase() };
  const name = hostName(text.toLowerCase());
  return name === undefined ? undefined : { kind: 'dns', name };
}

/** What a client names (SNI), if it is a host name as certificates have them: an address in its place is none. */
export function hostName(text: string): string | undefined {
  // A last label of digits is the last part of an IPv4 address, whatever stands before (WHATWG URL, "ends in a number").
  return HOST_NAME.test(text) && !/(?:^|\.)(?:\d+|0x[0-9a-f]*)$/.test(text) ? text : undefined;
}

/** As `openssl x509 -text` shows it. */
export function nameText(name: CertificateName): string {
  return name.kind === 'dns' ? name.name : name.address;
}
