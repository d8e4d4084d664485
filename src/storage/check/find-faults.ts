// Two looks over the store's links, manifests and records, once its blobs have been hashed. Other processes write and remove meanwhile, so only what both looks
// see is a fault.
import { setTimeout as delay, setImmediate } from 'node:timers/promises';
import type { CallOptions } from '../../io/streams/bytes.ts';
import type { Digest } from '../../oci/digest.ts';
import { allRepositories } from '../collector/manifest-references.ts';
import { blobKey } from '../layout/registry-keys.ts';
import type { RegistryStore } from '../store.ts';
import { checkRecords } from './check-records.ts';
import { checkLinksOf } from './check-repository.ts';
import type { LostBlob, StoreFault } from './findings.ts';
import { newLook } from './look.ts';

export interface StoreFaultsOptions extends CallOptions {
  /** Only these repositories, and no records. */
  readonly repositories?: readonly string[];
  /** In milliseconds: what is younger may be in the middle of being written or removed. Default: an hour. */
  readonly youngMs?: number;
  /** In milliseconds between the two looks. Default: a second. */
  readonly betweenMs?: number;
  readonly onRepository?: (repository: string) => void;
  /** Called after each small step. */
  readonly pause?: () => Promise<void>;
}

export interface StoreFaults {
  readonly findings: readonly StoreFault[];
  /** Blobs that a manifest or a record names, and that are missing or damaged. */
  readonly lost: readonly LostBlob[];
  /** True if there are more than are listed. */
  readonly isMore: boolean;
}

const YOUNG_MS = 3600 * 1000;
/** In milliseconds. Longer than the time between two steps of a push, a removal or a collection. */
const BETWEEN_MS = 1000;

export async function findFaults(store: RegistryStore, options: StoreFaultsOptions = {}): Promise<StoreFaults> {
  const first = await look(store, options);
  if (first.findings.length === 0) return first;
  await delay(options.betweenMs ?? BETWEEN_MS, undefined, options.signal && { signal: options.signal });
  const second = await look(store, options);
  const before = new Set(first.findings.map(idOf));
  const findings = second.findings.filter((finding) => before.has(idOf(finding)));
  const digests = new Set(findings.map(({ digest }) => digest));
  return { ...second, findings, lost: second.lost.filter(({ digest }) => digests.has(digest)) };
}

function idOf({ kind, where }: StoreFault): string {
  return `${kind} ${where}`;
}

async function look(store: RegistryStore, options: StoreFaultsOptions): Promise<StoreFaults> {
  const { signal, pause, youngMs = YOUNG_MS } = options;
  let steps = 0;
  const step = async () => {
    signal?.throwIfAborted();
    // Requests that wait in this process get their turn.
    if (++steps % 50 === 0) await (pause ? pause() : setImmediate());
  };
  const looked = newLook(store, new Date(Date.now() - youngMs), step);
  for await (const repository of options.repositories ?? allRepositories(store)) {
    options.onRepository?.(repository);
    await checkLinksOf(looked.look, repository);
  }
  if (!options.repositories) await checkRecords(looked.look);
  const damaged = await store.blobs.damaged();
  const lost = [...looked.lost.values()];
  const blobs = lost.map((blob) => blobFinding(blob, damaged));
  const unnamed = options.repositories ? [] : [...damaged].filter((digest) => !looked.lost.has(digest));
  return { findings: [...blobs, ...unnamed.map(unnamedFinding), ...looked.findings], lost, isMore: looked.isMore() };
}

function blobFinding({ digest, repositories, images }: LostBlob, damaged: ReadonlySet<Digest>): StoreFault {
  const kind = damaged.has(digest) ? 'damaged-blob' : 'missing-blob';
  return { kind, where: blobKey(digest), digest, mend: repositories.length > 0 ? 'fetch' : 'none', images };
}

/** Nothing needs it: the collector removes it. */
function unnamedFinding(digest: Digest): StoreFault {
  return { kind: 'damaged-blob', where: blobKey(digest), digest, mend: 'none', images: [] };
}
