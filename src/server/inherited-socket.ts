// A socket that listens already when the process starts, because whoever started it has bound it: systemd's socket activation (sd_listen_fds(3)). Relies on node:net,
// whose servers listen on any handle.
import { Socket } from 'node:net';
import { ImagesError } from '../oci/errors.ts';
import type { BoundAddress } from './address.ts';

/** Where the socket with this file descriptor listens. A connection that comes meanwhile waits in the system. Errors: USAGE (it has no address and port). */
export function inheritedAddress(fd: number): BoundAddress {
  const inherited = socketOf(fd);
  const { address, port } = (inherited?.address() ?? {}) as { readonly address?: string; readonly port?: number };
  if (inherited && address !== undefined && port !== undefined) return { host: address, port, inherited };
  throw new ImagesError('USAGE', `descriptor ${fd} is no socket with an address and a port`, {
    hint: 'In a socket unit of systemd: ListenStream=80, or ListenStream=127.0.0.1:5000.',
  });
}

function socketOf(fd: number): Socket | undefined {
  try {
    // It is never read from: a server takes its handle.
    return new Socket({ fd, readable: false, writable: false });
  } catch {
    return undefined;
  }
}
