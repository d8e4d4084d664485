// Addresses to listen on: `ADDR:PORT`, `:PORT`, `PORT`, `[v6]:PORT`, `NAME:PORT`, each also after `https://`. Pure.
import { isIPv4, isIPv6, type Socket } from 'node:net';
import { ImagesError } from '../oci/errors.ts';

export interface ListenAddress {
  /** An IPv4 or IPv6 address (without brackets) or a host name; if absent, every address of the machine. */
  readonly host?: string;
  /** 0 lets the system choose a free port. */
  readonly port: number;
  /** HTTPS; otherwise HTTP. */
  readonly tls?: boolean;
  /** What listens there already (inherited-socket.ts): a server takes its handle. */
  readonly inherited?: Socket;
}

/** An address that a server listens on, without brackets. May be `0.0.0.0` or `::`. */
export interface BoundAddress extends ListenAddress {
  readonly host: string;
}

const HOST_NAME =
  /^(?=.{1,253}$)[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?)*$/;

/** Parses `ADDR:PORT`, `[IPv6]:PORT` or `:PORT`, with `https://` before it for HTTPS. Errors: USAGE, which says what is wrong. */
export function parseListenAddress(text: string): ListenAddress {
  const secure = /^https:\/\/(.*)$/i.exec(text);
  return secure ? { ...parsePlain(text, secure[1] ?? ''), tls: true } : parsePlain(text, text);
}

function parsePlain(text: string, address: string): ListenAddress {
  const match = /^(?:(?:\[([^\]]*)\]|([^:[\]]*)):)?(\d{1,5})$/.exec(address);
  if (!match) refuse(text, isIPv6(address) ? 'an IPv6 address is written in brackets' : 'it has no port');
  const [, v6, name, digits] = match;
  const port = Number(digits);
  if (port > 65_535) refuse(text, `the port is beyond 65535`);
  if (v6 !== undefined) {
    if (!isIPv6(v6)) refuse(text, `[${v6}] is not an IPv6 address`);
    return { host: v6, port };
  }
  if (!name) return { port };
  if (/^[\d.]+$/.test(name) ? !isIPv4(name) : !HOST_NAME.test(name)) refuse(text, `[${name}] is not an address`);
  return { host: name, port };
}

/** As it is parsed: `127.0.0.1:5000`, `[::1]:5000`, `:5000`, `https://127.0.0.1:5000`. */
export function formatListenAddress(address: ListenAddress): string {
  return address.tls ? listenUrl(address) : withPort(address);
}

/** `http://127.0.0.1:5000`, `https://[::1]:5000`. */
export function listenUrl(address: ListenAddress): string {
  return `${address.tls ? 'https' : 'http'}://${withPort(address)}`;
}

function withPort({ host = '', port }: ListenAddress): string {
  return `${isIPv6(host) ? `[${host}]` : host}:${port}`;
}

function refuse(text: string, why: string): never {
  throw new ImagesError('USAGE', `not an address to listen on [${text}]: ${why}`, {
    hint: 'Write ADDR:PORT, :PORT, PORT or [IPV6]:PORT, for example 127.0.0.1:5000; https:// before it for HTTPS.',
  });
}
