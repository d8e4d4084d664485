// Blobs on their way from their own registry: each is fetched once, into the store, and all who wait read what the store has of it already. So a slow or late
// reader costs no memory, and one that leaves ends nothing for others. A fetch goes on to its end when all have left: the next node asks for the same.
import { createKeyedLimiter } from '../../io/concurrency/keyed-limiter.ts';
import { untilAborted } from '../../io/concurrency/until-aborted.ts';
import type { Bytes } from '../../io/streams/bytes.ts';
import { tapped } from '../../io/streams/verify.ts';
import type { Descriptor } from '../../oci/descriptor.ts';
import type { Digest } from '../../oci/digest.ts';
import type { BlobContent, BlobOptions, GrowingBlob, Registry } from '../contract.ts';
import { mayOpenAnew } from '../open-anew.ts';
import { behalfOf, type OnBehalf } from '../via-header.ts';
import type { PullThroughOptions, PullThroughStore, UpstreamName } from './contract.ts';
import { type Followed, followed } from './followed-blob.ts';
import { partOwners } from './part-owners.ts';
import { isTrouble, upstreamError } from './upstream-errors.ts';
import { upstreamText } from './upstream-name.ts';

export interface BlobFetches {
  /** The blob, or a part of it, as it comes. Resolves when the other registry has begun to send it. Errors: those of `upstreamError`, RANGE_INVALID. */
  get(name: UpstreamName, blob: Descriptor, options: BlobOptions): Promise<BlobContent>;
  /** The repository has the blob when it resolves. */
  ensure(name: UpstreamName, blob: Descriptor, options?: OnBehalf): Promise<void>;
  /** The size, if the blob is being fetched for this repository. */
  sizeOf(name: UpstreamName, digest: Digest): number | undefined;
  /** Resolves when nothing is being fetched any more. */
  settled(): Promise<void>;
}

interface Fetch extends Followed {
  readonly blob: Descriptor;
  readonly names: Set<string>;
  /** The other registry sends, or the blob was there. */
  readonly begun: Promise<void>;
  readonly hasBegun: boolean;
  readonly ended: Promise<void>;
}

/** How many blobs are fetched at once; others wait for their turn. A host that hangs keeps only its own share. */
const AT_ONCE = 32;
const AT_ONCE_OF_HOST = 8;
/** Of a mirror's wrong bytes the next route is another one. */
const ATTEMPTS = 3;
const BLOB_TYPE = 'application/octet-stream';

export function blobFetches(
  { stripped, hasBlob }: Pick<PullThroughStore, 'stripped' | 'hasBlob'>,
  {
    upstream,
    isShared,
    signal,
    onEvent,
    onReceived,
  }: Pick<PullThroughOptions, 'upstream' | 'isShared' | 'signal' | 'onEvent' | 'onReceived'>,
): BlobFetches {
  const running = new Map<Digest, Fetch>();
  const limit = createKeyedLimiter({ each: AT_ONCE_OF_HOST, all: AT_ONCE });
  const parts = partOwners(stripped);

  const open = async (name: UpstreamName, blob: Descriptor, options: BlobOptions): Promise<BlobContent> => {
    const registry = await upstream(name);
    return await registry.getBlob(name.path, blob.digest, { ...options, size: blob.size });
  };

  function start(name: UpstreamName, blob: Descriptor, behalf: OnBehalf): Fetch {
    const begun = Promise.withResolvers<void>();
    // Nobody may be waiting.
    begun.promise.catch(() => {});
    let change = Promise.withResolvers<void>();
    let growing: GrowingBlob | undefined;
    let readers = 0;
    let hasBegun = false;
    let isOver = false;
    const tell = () => {
      change.resolve();
      change = Promise.withResolvers();
    };
    const close = () => {
      const done = growing;
      if (!isOver || readers > 0) return;
      growing = undefined;
      void done?.[Symbol.asyncDispose]();
    };
    const watch = async (one: GrowingBlob) => {
      while (!isOver && one === growing) {
        await one.changed();
        tell();
      }
    };
    const put = async () => {
      const began = performance.now();
      let bytes = 0;
      const anew = !isShared() && !(await parts.isOf(name, blob.digest));
      await stripped.putBlob(
        name.path,
        blob,
        async (from) => {
          const { body } = await open(name, blob, { ...behalf, from, signal, opensAnew: true });
          hasBegun = true;
          begun.resolve();
          onEvent?.({ type: 'fetching', name, digest: blob.digest, size: blob.size });
          return tapped(body, ({ length }) => {
            bytes += length;
            onReceived?.(length);
          });
        },
        {
          signal,
          anew,
          onGrowing: (one) => {
            const before = growing;
            growing = one;
            tell();
            void before?.[Symbol.asyncDispose]();
            void watch(one);
          },
        },
      );
      if (hasBegun)
        onEvent?.({ type: 'fetched', name, digest: blob.digest, bytes, duration: performance.now() - began });
    };
    const work = async () => {
      for (let attempt = 1; ; attempt++) {
        try {
          return await put();
        } catch (error) {
          if (attempt === ATTEMPTS || !mayOpenAnew(error)) throw error;
        }
      }
    };
    let failure: { readonly error: unknown } | undefined;
    const ended = limit(name.host, work, signal)
      .catch(async (error: unknown) => {
        const told = upstreamError(error, name, blob.digest);
        if (!signal.aborted && isTrouble(told)) onEvent?.({ type: 'trouble', name, error: told });
        await parts.left(name, blob.digest);
        failure = { error: told };
        begun.reject(told);
        throw told;
      })
      .finally(() => {
        isOver = true;
        begun.resolve();
        running.delete(blob.digest);
        tell();
        close();
      });
    ended.catch(() => {});
    const fetch: Fetch = {
      blob,
      names: new Set([upstreamText(name)]),
      begun: begun.promise,
      get hasBegun() {
        return hasBegun;
      },
      ended,
      get growing() {
        return growing;
      },
      get failure() {
        return failure;
      },
      changed: () => change.promise,
      enter: () => {
        readers += 1;
      },
      leave: () => {
        readers -= 1;
        close();
      },
    };
    running.set(blob.digest, fetch);
    return fetch;
  }

  /** The fetch of this blob that may be followed: where not everybody may pull everything, only one for the same repository. */
  function joined(name: UpstreamName, blob: Descriptor): Fetch | undefined {
    const fetch = running.get(blob.digest);
    if (!fetch || fetch.blob.size !== blob.size) return undefined;
    return isShared() || fetch.names.has(upstreamText(name)) ? fetch : undefined;
  }

  /** Begins, or waits until nobody fetches it for another repository. `undefined`: it is here, but only its own registry can show that this repository has it. */
  async function begin(name: UpstreamName, blob: Descriptor, options: BlobOptions): Promise<Fetch | undefined> {
    for (;;) {
      const fetch = joined(name, blob);
      if (fetch) return fetch;
      const other = running.get(blob.digest);
      if (!other) break;
      await untilAborted(
        other.ended.catch(() => {}),
        options.signal,
      );
    }
    if (!isShared() && (await hasBlob(blob.digest))) return undefined;
    return joined(name, blob) ?? start(name, blob, behalfOf(options));
  }

  /** What comes is passed on and not stored; if all of it has come, the repository has the blob. */
  async function proven(name: UpstreamName, blob: Descriptor, options: BlobOptions): Promise<BlobContent> {
    const { from = 0, to = blob.size } = options;
    const content = await open(name, blob, options).catch((error: unknown) => {
      throw upstreamError(error, name, blob.digest);
    });
    const isWhole = from === 0 && to >= blob.size;
    return isWhole ? { ...content, body: linkedAtEnd(content.body, stripped, name.path, blob.digest) } : content;
  }

  /** Another repository than the one for which it was begun has the blob, too, when it is here. */
  function shareWith(fetch: Fetch, name: UpstreamName): void {
    if (fetch.names.has(upstreamText(name))) return;
    fetch.names.add(upstreamText(name));
    void fetch.ended.then(() => linked(stripped, name.path, fetch.blob.digest)).catch(() => {});
  }

  return {
    get: async (name, blob, options) => {
      // Another registry that asks may be the very one for whose answer the fetch waits.
      const isForAnother = (options.via?.length ?? 0) > 1;
      if (isForAnother && running.get(blob.digest)?.hasBegun === false) return await proven(name, blob, options);
      const fetch = await begin(name, blob, options);
      if (!fetch) return await proven(name, blob, options);
      shareWith(fetch, name);
      fetch.enter();
      try {
        await untilAborted(fetch.begun, options.signal);
        if (!fetch.growing) {
          // It was there: nothing grew.
          await stripped.mountBlob(name.path, blob.digest);
          fetch.leave();
          return await stripped.getBlob(name.path, blob.digest, options);
        }
        const body = followed(fetch, options);
        return { descriptor: { mediaType: BLOB_TYPE, digest: blob.digest, size: blob.size }, body };
      } catch (error) {
        fetch.leave();
        throw error;
      }
    },
    ensure: async (name, blob, options = {}) => {
      const call = { ...options, signal };
      const fetch = await begin(name, blob, call);
      if (!fetch) {
        const { body } = await proven(name, blob, call);
        for await (const _ of body);
        return;
      }
      await fetch.ended;
      await linked(stripped, name.path, blob.digest);
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

async function* linkedAtEnd(body: Bytes, stripped: Registry, path: string, digest: Digest): AsyncGenerator<Uint8Array> {
  yield* body;
  await stripped.mountBlob(path, digest);
}
