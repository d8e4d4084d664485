// Whether a node is the registry's own machine, and what must not be done there.
import { isOwnAddress } from '../../nodes/addresses.ts';
import type { NodeRequest } from '../../nodes/node-file.ts';
import { ImagesError } from '../../oci/errors.ts';
import { ownInterfaces } from '../private-registry/own-interfaces.ts';

/**
 * The registry reads the same files as podman and containerd, and so do `lreg_preload` and `copy`. A mirror that is the registry itself is passed over; but if the
 * hosts themselves are not to be asked, or `/etc/hosts` leads them here, nobody on this machine reaches them. Errors: USAGE.
 */
export function checkNotOwnMachine({ registry, spoof = false, only = false }: NodeRequest, root: string): void {
  if (root !== '/' || !(spoof || only)) return;
  const interfaces = ownInterfaces();
  const own = registry.addresses.find((address) => isOwnAddress(address, interfaces));
  if (own === undefined) return;
  throw new ImagesError(
    'USAGE',
    `the registry is on this machine [${own}]: with ${spoof ? '--spoof' : '--only'} nothing here reaches the hosts of images any more, also not the registry`,
    { hint: 'Without --spoof and --only it works here, too. For the file system of another machine: --root=DIR.' },
  );
}
