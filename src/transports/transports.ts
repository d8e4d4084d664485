// The transports of this program, each with its type of location, in the order of help and completion. The code of a transport is loaded when it is opened.
import { type OciArchiveLocation, ociArchive } from './archive/oci-archive-transport.ts';
import { containersStorage, type StorageLocation } from './containers-storage/storage-transport.ts';
import { type DirLocation, dir } from './dir/dir-transport.ts';
import { type DockerArchiveLocation, dockerArchive } from './docker-archive/docker-archive-transport.ts';
import { type DaemonLocation, dockerDaemonTransport } from './docker-daemon/daemon-transport.ts';
import { type OciLocation, oci } from './layout/oci-transport.ts';
import { type DockerLocation, docker } from './registry-transport.ts';
import type { ListedTransport } from './transport.ts';

/** A location in one of these transports, parsed: a union by `transport`. */
export type TransportLocation =
  | DockerLocation
  | DaemonLocation
  | DockerArchiveLocation
  | OciLocation
  | OciArchiveLocation
  | DirLocation
  | StorageLocation;
export type TransportName = TransportLocation['transport'];

export const TRANSPORTS: readonly ListedTransport<TransportLocation>[] = [
  docker,
  dockerDaemonTransport,
  dockerArchive,
  oci,
  ociArchive,
  dir,
  containersStorage,
];

const BY_NAME: ReadonlyMap<string, ListedTransport<TransportLocation>> = new Map(
  TRANSPORTS.map((transport) => [transport.name, transport]),
);

/** The transport with this name. */
export function transportNamed(name: string): ListedTransport<TransportLocation> | undefined {
  return BY_NAME.get(name);
}

/** The transport of a location. */
export function transportOf({ transport }: TransportLocation): ListedTransport<TransportLocation> {
  const found = BY_NAME.get(transport);
  if (!found) throw new Error(`no transport ${transport}`);
  return found;
}

/** The text with which locations in a transport begin. */
export function prefixOf({ name, prefix = `${name}:` }: ListedTransport<TransportLocation>): string {
  return prefix;
}
