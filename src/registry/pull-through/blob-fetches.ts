// Blobs on their way from their own registry: each is fetched once, into the store, and all who wait read what has come of it already. So a slow or late reader costs
// no memory, and one that leaves ends nothing for others. A fetch goes on to its end when all have left: the next node asks for the same.
import { createFairLimiter } from '../../io/concurrency/fair-limiter.ts';
import { quietTurns } from '../../io/concurrency/quiet-turns.ts';
import { untilAborted } from '../../io/concurrency/until-aborted.ts';
import { tapped } from '../../io/streams/verify.ts';
import type { Descriptor } from '../../oci/descriptor.ts';
import type { Digest } from '../../oci/digest.ts';
import type { BlobContent, BlobOptions, Registry } from '../contract.ts';
import { mayOpenAnew } from '../open-anew.ts';
import { behalfOf, type OnBehalf } from '../via-header.ts';
import type { PullThroughOptions, PullThroughStore, UpstreamName } from './contract.ts';
import { followed } from './followed-blob.ts';
import { partOwners } from './part-owners.ts';
import { openUpstream, passedBlob } from './passed-blob.ts';
import { type FetchProgress, type SharedFetch, sharedFetch } from './shared-fetch.ts';
import { isTrouble, isUnstorable, upstreamError } from './upstream-errors.ts';
import { upstreamText } from './upstream-name.ts';

export interface BlobFetches {
  /** The blob, or a part of it, as it comes. Resolves when the other registry has begun to send it. Errors: those of `upstreamError`, RANGE_INVALID. */
  get(name: UpstreamName, blob: Descriptor, options: BlobOptions): Promise<BlobContent>;
  /** Resolves when all of it has come, to a promise that resolves when the repository has it. Errors: those of `upstreamError`, of the store. */
  ensure(name: UpstreamName, blob: Descriptor, options?: OnBehalf): Promise<{ readonly stored: Promise<void> }>;
  /** The size, if the blob is being fetched for this repository. */
  sizeOf(name: UpstreamName, digest: Digest): number | undefined;
  /** Resolves when nothing is being fetched any more. */
  settled(): Promise<void>;
}

/** How many blobs are fetched at once; others wait for their turn. A host that hangs keeps only its own share, and who asks for much leaves room for others. */
const AT_ONCE = { all: 32, each: 8, eachParty: 6, waiting: 1000 };
/** Who wants what nobody has asked for. */
const ITSELF = 'this registry';
/** How many blobs may wait for the disk while others come. */
const BEFORE_DISK = 64;
/** Milliseconds for which nothing is written after the store could take no more: what is asked for is passed on. */
const FULL = 10_000;
/** Of a mirror's wrong bytes the next route is another one. */
const ATTEMPTS = 3;
const BLOB_TYPE = 'application/octet-stream';

type Options = Pick<
  PullThroughOptions,
  'upstream' | 'isShared' | 'signal' | 'onEvent' | 'onReceived' | 'asker' | 'diskRest' | 'now'
>;

interface Asked {
  readonly behalf: OnBehalf;
  readonly party: string;
}

export function blobFetches(
  { stripped, hasBlob }: Pick<PullThroughStore, 'stripped' | 'hasBlob'>,
  { upstream, isShared, signal, onEvent, onReceived, asker, diskRest, now = () => performance.now() }: Options,
): BlobFetches {
  const running = new Map<Digest, SharedFetch>();
  const limit = createFairLimiter(AT_ONCE);
  /** Nobody waits for the disk: what comes for others goes first. */
  const disk = quietTurns(diskRest === undefined ? {} : { rest: diskRest });
  const parts = partOwners(stripped);
  let full: { readonly until: number; readonly error: unknown } | undefined;
  const whyFull = () => (full && full.until > now() ? full : undefined);
  const open = openUpstream(upstream);

  /** Puts the blob into the store, and tells of it. */
  async function put(
    name: UpstreamName,
    fetch: SharedFetch,
    { behalf, progress }: Asked & { progress: FetchProgress },
  ): Promise<void> {
    const { blob } = fetch;
    const began = performance.now();
    let [bytes, duration] = [0, 0];
    const anew = !isShared() && !(await parts.isOf(name, blob.digest));
    let turn: Disposable | undefined;
    try {
      await stripped.putBlob(
        name.path,
        blob,
        async (from) => {
          const { body } = await open(name, blob, { ...behalf, from, signal, opensAnew: true });
          progress.begins();
          onEvent?.({ type: 'fetching', name, digest: blob.digest, size: blob.size });
          return tapped(body, ({ length }) => {
            bytes += length;
            onReceived?.(length);
          });
        },
        {
          signal,
          anew,
          onGrowing: progress.grows,
          beforeDisk: async () => {
            duration = performance.now() - began;
            if (disk.size < BEFORE_DISK) progress.comes();
            turn = await disk.enter(signal);
          },
        },
      );
      if (fetch.hasBegun) onEvent?.({ type: 'fetched', name, digest: blob.digest, bytes, duration });
    } finally {
      turn?.[Symbol.dispose]();
    }
  }

  async function putInAttempts(...args: Parameters<typeof put>): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await put(...args);
      } catch (error) {
        if (attempt === ATTEMPTS || !mayOpenAnew(error)) throw error;
      }
    }
  }

  function start(name: UpstreamName, blob: Descriptor, { behalf, party }: Asked): SharedFetch {
    const { fetch, progress } = sharedFetch(blob);
    fetch.names.add(upstreamText(name));
    const remove = () => {
      if (running.get(blob.digest) === fetch) running.delete(blob.digest);
    };
    fetch.unwanted.addEventListener('abort', remove);
    running.set(blob.digest, fetch);
    const comes = async () => {
      progress.starts();
      using _busy = disk.busy();
      const putting = putInAttempts(name, fetch, { behalf, party, progress });
      // What has come makes room for the next.
      await Promise.race([fetch.came, putting]);
      return { putting };
    };
    const failed = async (error: unknown) => {
      const told = upstreamError(error, name, blob.digest);
      if (!signal.aborted && !fetch.unwanted.aborted && isTrouble(told))
        onEvent?.({ type: 'trouble', name, error: told });
      if (isUnstorable(error)) full = { until: now() + FULL, error };
      await parts.left(name, blob.digest);
      remove();
      progress.ends({ error: told });
    };
    limit({ key: name.host, party }, comes, AbortSignal.any([signal, fetch.unwanted]))
      .then(({ putting }) => putting)
      .then(() => {
        remove();
        progress.ends();
      }, failed);
    return fetch;
  }

  /** The fetch of this blob that may be followed: where not everybody may pull everything, only one for the same repository. */
  function joined(name: UpstreamName, blob: Descriptor): SharedFetch | undefined {
    const fetch = running.get(blob.digest);
    if (!fetch || fetch.blob.size !== blob.size) return undefined;
    return isShared() || fetch.names.has(upstreamText(name)) ? fetch : undefined;
  }

  /** Begins, or waits until nobody fetches it for another repository. `undefined`: it is here, but only its own registry can show that this repository has it. */
  async function begin(
    name: UpstreamName,
    blob: Descriptor,
    { signal, ...asked }: Asked & Pick<BlobOptions, 'signal'>,
  ): Promise<SharedFetch | undefined> {
    for (;;) {
      const fetch = joined(name, blob);
      if (fetch) return fetch;
      const other = running.get(blob.digest);
      if (!other) break;
      await untilAborted(
        other.ended.catch(() => {}),
        signal,
      );
    }
    if (!isShared() && (await hasBlob(blob.digest))) return undefined;
    return joined(name, blob) ?? start(name, blob, asked);
  }

  /** What comes is passed on; if all of it has come, the repository has the blob that is here. */
  const proven = (name: UpstreamName, blob: Descriptor, options: BlobOptions) =>
    passedBlob(open, name, { blob, options, onWhole: () => stripped.mountBlob(name.path, blob.digest) });

  /** Another repository than the one for which it was begun has the blob, too, when it is here. */
  function shareWith(fetch: SharedFetch, name: UpstreamName): void {
    if (fetch.names.has(upstreamText(name))) return;
    fetch.names.add(upstreamText(name));
    void fetch.ended.then(() => linked(stripped, name.path, fetch.blob.digest)).catch(() => {});
  }

  async function follow(fetch: SharedFetch, name: UpstreamName, options: BlobOptions): Promise<BlobContent> {
    const { digest, size } = fetch.blob;
    await untilAborted(fetch.begun, options.signal);
    if (fetch.growing) {
      return { descriptor: { mediaType: BLOB_TYPE, digest, size }, body: followed(fetch, options) };
    }
    // It was there: nothing grew.
    await stripped.mountBlob(name.path, digest);
    const content = await stripped.getBlob(name.path, digest, options);
    fetch.leave();
    return content;
  }

  return {
    get: async (name, blob, options) => {
      // Another registry that asks may be the very one for whose answer the fetch waits.
      const isForAnother = (options.via?.length ?? 0) > 1;
      if (isForAnother && running.get(blob.digest)?.hasBegun === false) return await proven(name, blob, options);
      // What comes already may still find room.
      if (whyFull() && !joined(name, blob)) return await passedBlob(open, name, { blob, options });
      const { signal: gone } = options;
      const fetch = await begin(name, blob, {
        behalf: behalfOf(options),
        party: asker(),
        ...(gone && { signal: gone }),
      });
      if (!fetch) return await proven(name, blob, options);
      shareWith(fetch, name);
      fetch.enter();
      try {
        return await follow(fetch, name, options);
      } catch (error) {
        fetch.leave();
        if (!isUnstorable(error)) throw error;
        return await passedBlob(open, name, { blob, options });
      }
    },
    ensure: async (name, blob, behalf = {}) => {
      const why = whyFull();
      if (why) throw why.error;
      const fetch = await begin(name, blob, { behalf, party: ITSELF, signal });
      if (!fetch) {
        const { body } = await proven(name, blob, { ...behalf, signal });
        for await (const _ of body);
        return { stored: Promise.resolve() };
      }
      fetch.enter();
      try {
        await fetch.came;
      } finally {
        fetch.leave();
      }
      const stored = fetch.ended.then(() => linked(stripped, name.path, blob.digest));
      stored.catch(() => {});
      return { stored };
    },
    sizeOf: (name, digest) => {
      const fetch = running.get(digest);
      return fetch?.names.has(upstreamText(name)) ? fetch.blob.size : undefined;
    },
    settled: async () => {
      await Promise.allSettled([...running.values()].map(({ ended }) => ended));
    },
  };
}

async function linked(stripped: Registry, path: string, digest: Digest): Promise<void> {
  if (!(await stripped.statBlob(path, digest))) await stripped.mountBlob(path, digest);
}
