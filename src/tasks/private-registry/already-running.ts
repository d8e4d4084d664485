// What stands in the way of a registry that starts: one that serves the same directory, or one that has its address.
import { ImagesError } from '../../oci/errors.ts';
import { formatListenAddress, type ListenAddress } from '../../server/address.ts';
import type { World } from '../settings.ts';
import { namedAddress } from './locate-registry.ts';
import { announcedRegistries } from './registry-adverts.ts';
import type { RegistryState } from './registry-record.ts';

/** `how`: what is not as it was asked for. */
export function alreadyRunning(state: RegistryState, how = ''): ImagesError {
  const where = state.addresses.map(formatListenAddress).join(', ');
  return new ImagesError('ALREADY_RUNNING', `the embedded registry runs already${how} [${where}]`, {
    hint: 'Run `images lreg_stop` first to start it with other settings.',
  });
}

/** Adds to ADDRESS_IN_USE which embedded registry uses the address, if it is one. */
export function usedBy(error: ImagesError, listen: readonly ListenAddress[], settings: World): ImagesError {
  const there = announcedRegistries(settings).find(({ addresses }) =>
    addresses.some(({ port }) => listen.some((wanted) => wanted.port === port)),
  );
  if (!there) return error;
  const [first] = there.addresses;
  const use =
    there.uid === settings.uid
      ? `The embedded registry of ${there.data} listens there: end it with \`images lreg_stop --data=${there.data}\``
      : `User ${there.uid}'s embedded registry listens there: set LOCAL_REGISTRY=${first ? namedAddress(first) : ''} to use it`;
  const hint = `${use}, or choose another port with --listen=ADDR:PORT.`;
  return new ImagesError(error.code, error.message, { hint, cause: error });
}
