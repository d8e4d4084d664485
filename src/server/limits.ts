// What requests may cost: the numbers that a server keeps to, whoever asks and whatever a request holds. `docs/registries.md` has them as a table.

export interface ServerLimits {
  /** Connections at once. */
  readonly connections: number;
  /** Of one address (of an IPv6 network of 64 bits). */
  readonly connectionsPerClient: number;
  /** Requests that were sent ahead on their connections and wait for the one before them, in all. */
  readonly waitingRequests: number;
  /** Manifests that are read or written at once; others wait. */
  readonly manifests: number;
  /** Lists that are made at once, and deletions that read all of a repository; others wait. */
  readonly lists: number;
  /** Bytes of manifests and lists that are in memory because their clients are slow, in all and of one client. */
  readonly heldBytes: number;
  readonly heldBytesPerClient: number;
  /** Descriptors of one manifest, each counted once. */
  readonly descriptors: number;
  /** Tags that one request may set. */
  readonly tags: number;
  /** Entries of one page, whatever `n` says. */
  readonly page: number;
  /** Uploads that are begun and not ended, in all and of one client: fewer than the store keeps, so that nobody pushes out what others go on with. */
  readonly uploads: number;
  readonly uploadsPerClient: number;
  /** Milliseconds after which an upload that nobody goes on with is discarded, when another one is begun. */
  readonly uploadAge: number;
  /** The same where there are too many, or no space is left. */
  readonly uploadAgeInNeed: number;
  /** Milliseconds for the head of a request. */
  readonly head: number;
  /** Milliseconds without a byte, either way, after which a transfer is given up; what came of an upload is kept. */
  readonly idle: number;
  /** A transfer that moves fewer than `slowBytes` in `slow` milliseconds, because of its client, is given up. */
  readonly slow: number;
  readonly slowBytes: number;
}

const MINUTE = 60_000;
const MIB = 1024 * 1024;

/** Files that the server itself, manifests and the disk's syncs may need beside those of connections. */
const FILES_OF_ITS_OWN = 320;
/** The connection, a file that is sent or received, and one that is looked at. */
const FILES_PER_CONNECTION = 3;

/** `openFiles`: how many the process may have open. */
export function defaultLimits(openFiles: number): ServerLimits {
  const connections = between(16, Math.floor((openFiles - FILES_OF_ITS_OWN) / FILES_PER_CONNECTION), 2048);
  return {
    connections,
    connectionsPerClient: between(8, Math.ceil(connections / 2), connections),
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
    uploadAge: 24 * 60 * MINUTE,
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
