// What the embedded registry is asked to listen on, and which host names it is asked to answer to.
import { ImagesError } from '../../oci/errors.ts';
import { isHostName } from '../../oci/reference.ts';
import { type BoundAddress, type ListenAddress, parseListenAddress } from '../../server/address.ts';
import { inheritedAddress } from '../../server/inherited-socket.ts';
import { DEFAULT_LISTEN } from './config-keys.ts';

/** Errors: USAGE (an invalid address). */
export function listenAddresses(listen: readonly string[]): readonly ListenAddress[] {
  return (listen.length > 0 ? listen : [DEFAULT_LISTEN]).map(parseListenAddress);
}

/** Errors: USAGE (not a host name). */
export function checkNames(names: readonly string[] = []): void {
  const wrong = names.find((name) => name.includes(':') || !isHostName(name));
  if (wrong === undefined) return;
  throw new ImagesError('USAGE', `not a name of a host [${wrong}]`, {
    hint: 'Write the name alone, without scheme and port: registry.example.org.',
  });
}

/** Whether a running registry listens on all requested addresses; true if none are requested. */
export function listensOn(state: { readonly addresses: readonly BoundAddress[] }, listen: readonly string[]): boolean {
  return listen
    .map(parseListenAddress)
    .every((wanted) =>
      state.addresses.some(
        ({ host, port, tls = false }) =>
          (wanted.port === 0 || port === wanted.port) && host === (wanted.host ?? '::') && (tls || !wanted.tls),
      ),
    );
}

/** A socket that listens already when the registry starts: systemd's socket activation. */
export interface InheritedSocket {
  /** Its file descriptor. */
  readonly fd: number;
  /** What the socket unit calls it (FileDescriptorName=): one that begins with `https` has HTTPS. */
  readonly name?: string;
}

/** What sockets listen on, and what else is wanted: an address that a socket has is taken from there. Without any: 127.0.0.1:5000. Errors: USAGE. */
export function addressesWith(
  sockets: readonly InheritedSocket[] = [],
  listen: readonly string[] = [],
): readonly ListenAddress[] {
  if (sockets.length === 0) return listenAddresses(listen);
  const wanted = listen.map(parseListenAddress);
  const given = sockets.map(({ fd, name = '' }) => {
    const address = inheritedAddress(fd);
    const isSecure = /^https/i.test(name) || wanted.some((one) => one.tls && isAt(one, address));
    return isSecure ? { ...address, tls: true } : address;
  });
  return [...given, ...wanted.filter((one) => !given.some((address) => isAt(one, address)))];
}

function isAt(wanted: ListenAddress, { host, port }: ListenAddress): boolean {
  return (
    wanted.port === port &&
    (wanted.host === host || (wanted.host === undefined && (host === '::' || host === '0.0.0.0')))
  );
}
