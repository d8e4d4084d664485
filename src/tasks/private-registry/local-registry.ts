// Parses $LOCAL_REGISTRY: `host`, `host:port`, `IPv4`, `IPv6`, `[IPv6]:port`, optionally with `http://` or `https://`. The default is http.
import { isIP, isIPv6 } from 'node:net';
import { ImagesError } from '../../oci/errors.ts';

export interface RegistryAddress {
  readonly secure: boolean;
  /** A host name, or an address without brackets. */
  readonly hostname: string;
  readonly port: number;
  /** The form in references and URLs: `host`, `host:5000`, `[fd00::1]:5000`; without the scheme's default port. */
  readonly host: string;
  /** It was announced, not named: without a CA to verify it by, any certificate will do, like plain HTTP. */
  readonly isFound?: boolean;
}

/** Errors: CONFIG_INVALID. */
export function parseRegistryAddress(text: string): RegistryAddress {
  const [, scheme, rest = ''] = /^(?:(https?):\/\/)?(.*?)\/?$/i.exec(text.trim()) ?? [];
  const secure = scheme?.toLowerCase() === 'https';
  if (isIPv6(rest)) return registryAddress(rest, undefined, secure);
  const [, bracketed, name, port] = /^(?:\[([^\]]+)\]|([^:[\]/\s]+))(?::(\d{1,5}))?$/.exec(rest) ?? [];
  const hostname = bracketed ?? name;
  const number = port === undefined ? undefined : Number(port);
  const valid = bracketed === undefined ? /^[\w.-]+$/.test(name ?? '') : isIPv6(bracketed);
  if (!hostname || !valid || number === 0 || (number ?? 0) > 65535) {
    throw new ImagesError('CONFIG_INVALID', `LOCAL_REGISTRY is not the address of a registry [${text}]`, {
      hint: 'Write host, host:port, an IPv4 or IPv6 address, or [IPv6]:port, with http:// or https:// before it if you like.',
    });
  }
  return registryAddress(hostname, number, secure);
}

/** Without `port`: the scheme's default. */
export function registryAddress(hostname: string, port: number | undefined, secure: boolean): RegistryAddress {
  const own = secure ? 443 : 80;
  const name = isIP(hostname) === 6 ? `[${hostname.replace(/%(?:25)?/, '%25')}]` : hostname.toLowerCase();
  const host = port === undefined || port === own ? name : `${name}:${port}`;
  return { secure, hostname: hostname.toLowerCase(), port: port ?? own, host };
}
