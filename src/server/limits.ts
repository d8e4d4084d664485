// The limits on the cost of requests, whoever sends them and whatever they contain. `docs/registries.md` lists them in a table.

export interface ServerLimits {
  /** Connections at once. */
  readonly connections: number;
  /** For one client: an IPv4 address or an IPv6 network of 64 bits. */
  readonly connectionsPerClient: number;
  /** Requests at once on one HTTP/2 connection; its client waits with others. All of them together are limited as connections are. */
  readonly streams: number;
  /** Requests, over all connections, that wait for an earlier one of their connection. */
  readonly waitingRequests: number;
  /** Manifests that are read or written in parallel; others wait. */
  readonly manifests: number;
  /** Lists, and deletions that read a whole repository, in parallel; others wait. */
  readonly lists: number;
  /** Bytes of manifests and lists in memory because their clients are slow; in total, and below for one client. */
  readonly heldBytes: number;
  readonly heldBytesPerClient: number;
  /** Descriptors in one manifest; each is counted once. */
  readonly descriptors: number;
  /** Tags that one request may set. */
  readonly tags: number;
  /** Entries of one page, whatever `n` says. */
  readonly page: number;
  /** Unfinished uploads, in total and for one client. Fewer than the store keeps, so that no client can displace the uploads of others. */
  readonly uploads: number;
  readonly uploadsPerClient: number;
  /** Milliseconds after which an unused upload is discarded when another begins. The store discards them by itself after about as long. */
  readonly uploadAge: number;
  /** The same if there are too many uploads, or the disk is full. */
  readonly uploadAgeInNeed: number;
  /** Milliseconds for the head of a request. */
  readonly head: number;
  /** Milliseconds without a byte in either direction after which a transfer is aborted. What an upload has received is kept. */
  readonly idle: number;
  /** A transfer that moves fewer than `slowBytes` bytes in `slow` milliseconds, because of its client, is aborted. */
  readonly slow: number;
  readonly slowBytes: number;
}

const MINUTE = 60_000;
const MIB = 1024 * 1024;

/** Files for the server itself, manifests and syncs, in addition to those of connections. */
const FILES_OF_ITS_OWN = 320;
/** The socket, a file that is sent or received, and a file that is looked at. */
const FILES_PER_CONNECTION = 3;

/** `openFiles`: how many files the process may have open. */
export function defaultLimits(openFiles: number): ServerLimits {
  const connections = between(16, Math.floor((openFiles - FILES_OF_ITS_OWN) / FILES_PER_CONNECTION), 2048);
  return {
    connections,
    connectionsPerClient: between(8, Math.ceil(connections / 2), connections),
    streams: 64,
    waitingRequests: 10_000,
    manifests: 16,
    lists: 4,
    heldBytes: 256 * MIB,
    heldBytesPerClient: 128 * MIB,
    descriptors: 10_000,
    tags: 100,
    page: 10_000,
    uploads: 900,
    uploadsPerClient: 500,
    uploadAge: 60 * MINUTE,
    uploadAgeInNeed: MINUTE,
    head: MINUTE / 2,
    idle: 2 * MINUTE,
    slow: 5 * MINUTE,
    slowBytes: MIB / 16,
  };
}

function between(least: number, wanted: number, most: number): number {
  return Math.max(least, Math.min(wanted, most));
}
