// What the embedded registry is asked to listen on, and which host names it is asked to answer to.
import { ImagesError } from '../../oci/errors.ts';
import { isHostName } from '../../oci/reference.ts';
import { type BoundAddress, type ListenAddress, parseListenAddress } from '../../server/address.ts';
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
