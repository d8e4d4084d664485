// Manifests from their own registry: what a tag is now is asked with HEAD, which costs no pull quota; a manifest is got once, by its digest.
import { createFairLimiter } from '../../io/concurrency/fair-limiter.ts';
import { untilAborted } from '../../io/concurrency/until-aborted.ts';
import type { Digest } from '../../oci/digest.ts';
import { isDigest } from '../../oci/digest.ts';
import { type ImagesError, isImagesError } from '../../oci/errors.ts';
import type { RawManifest } from '../../oci/manifest.ts';
import type { ImageReader, ReadOptions } from '../contract.ts';
import { behalfOf, type OnBehalf, throughMe } from '../via-header.ts';
import type { PullThroughOptions, PullThroughStore, UpstreamName, UpstreamTag } from './contract.ts';
import type { ImageStoring } from './image-storing.ts';
import type { KnownManifests } from './known-manifests.ts';
import { isTrouble, isUnstorable, upstreamError } from './upstream-errors.ts';
import { upstreamText } from './upstream-name.ts';

export interface ManifestFetches {
  /** What is meant is here, or known, as fresh as it has to be, when it resolves. Errors: those of `upstreamError`, if nothing is here. */
  ensure(name: UpstreamName, reference: string, options: ReadOptions): Promise<void>;
  /** What was fresh is not here any more. */
  forget(name: UpstreamName, reference: string): void;
  /** Whether the host did not answer a moment ago. */
  rests(host: string): boolean;
}

interface Checked {
  readonly at: number;
  readonly ttl: number;
}

/** Milliseconds in which a host has to say what a tag is now, where an older one is here. */
const HEAD_WITHIN = 5000;
/** Milliseconds for a manifest that is not here. Clients wait about as long. */
const GET_WITHIN = 60_000;
/** Milliseconds for which a host that failed is not asked whether something is newer. */
const REST = 30_000;
/** Milliseconds for which it is believed that a host does not have something. */
const ABSENT = 10_000;
/** Milliseconds for which a host that wants fewer requests gets none, whatever is asked for. */
const BUSY = 10_000;
/** Requests to other registries at once: who asks for many names leaves room for others. */
const AT_ONCE = { all: 64, each: 16, eachParty: 12, waiting: 1000 };
const MOST_REMEMBERED = 10_000;

interface Parts {
  readonly store: PullThroughStore;
  readonly known: KnownManifests;
  readonly images: ImageStoring;
}

export function manifestFetches(
  { store, known, images }: Parts,
  { rules, upstream, id, signal, onEvent, asker, now = () => performance.now() }: PullThroughOptions,
): ManifestFetches {
  const checked = new Map<string, Checked>();
  const absent = new Map<string, { readonly until: number; readonly error: ImagesError }>();
  const restingUntil = new Map<string, number>();
  const busy = new Map<string, { readonly until: number; readonly error: unknown }>();
  const asking = new Map<string, Promise<void>>();
  const limit = createFairLimiter(AT_ONCE);

  const rests = (host: string) => (restingUntil.get(host) ?? 0) > now();
  const isFresh = (key: string) => {
    const last = checked.get(key);
    return last !== undefined && now() - last.at < last.ttl;
  };
  const check = (key: string, ttl: number) => remember(checked, key, { at: now(), ttl });

  async function ask<T>(
    name: UpstreamName,
    { reference, within, ...behalf }: OnBehalf & { readonly reference: string; readonly within: number },
    read: (registry: ImageReader, options: ReadOptions) => Promise<T>,
  ): Promise<T> {
    const refused = busy.get(name.host);
    if (refused && refused.until > now()) throw upstreamError(refused.error, name, reference);
    // Another registry that asks may be the very one for whose answers others wait here: it has room of its own.
    const turn = { key: [name.host, ...(behalf.via ?? [])].join(' '), party: asker() };
    const answered = async () => {
      const bounded = AbortSignal.any([signal, AbortSignal.timeout(within)]);
      const reading = upstream(name).then((registry) => read(registry, { ...throughMe(behalf, id), signal: bounded }));
      return await untilAborted(reading, bounded);
    };
    try {
      const result = await limit(turn, answered, signal);
      restingUntil.delete(name.host);
      return result;
    } catch (error) {
      if (isImagesError(error, 'TOOMANYREQUESTS')) remember(busy, name.host, { until: now() + BUSY, error });
      const told = upstreamError(error, name, reference);
      if (isTrouble(told) && !signal.aborted) onEvent?.({ type: 'trouble', name, error: told });
      throw told;
    }
  }

  async function get(name: UpstreamName, reference: string, behalf: OnBehalf): Promise<RawManifest> {
    const key = upstreamText(name, reference);
    const missing = absent.get(key);
    if (missing && missing.until > now()) throw missing.error;
    try {
      return await ask(name, { ...behalfOf(behalf), reference, within: GET_WITHIN }, (registry, options) =>
        registry.getManifest(name.path, reference, options),
      );
    } catch (error) {
      if (isImagesError(error) && !isTrouble(error)) remember(absent, key, { until: now() + ABSENT, error });
      throw error;
    }
  }

  async function take(name: UpstreamName, manifest: RawManifest, tag?: string): Promise<void> {
    try {
      await images.take(await known.add(name, manifest, tag));
    } catch (error) {
      // It is known, and served from memory.
      if (isUnstorable(error)) return onEvent?.({ type: 'trouble', name, error });
      throw isImagesError(error, 'MANIFEST_INVALID') ? upstreamError(error, name, tag ?? manifest.digest) : error;
    }
  }

  async function isHere(name: UpstreamName, digest: Digest): Promise<RawManifest | undefined> {
    const pending = known.get(name, digest);
    if (pending) return pending.manifest;
    if (!(await store.stripped.statManifest(name.path, digest))) return undefined;
    return await store.stripped.getManifest(name.path, digest);
  }

  async function renew(name: UpstreamTag, had: Digest, behalf: OnBehalf): Promise<void> {
    const key = upstreamText(name, name.tag);
    const { ttl } = rules() ?? { ttl: 0 };
    try {
      const found = await ask(
        name,
        { ...behalfOf(behalf), reference: name.tag, within: HEAD_WITHIN },
        (registry, options) => registry.statManifest(name.path, name.tag, options),
      );
      // A tag that has gone there stays here: whoever uses it goes on.
      if (found && found.digest !== had) {
        const manifest = (await isHere(name, found.digest)) ?? (await get(name, found.digest, behalf));
        await take(name, manifest, name.tag);
      }
      check(key, ttl);
    } catch (error) {
      if (signal.aborted || !isImagesError(error)) throw error;
      if (isTrouble(error)) remember(restingUntil, name.host, now() + REST);
      check(key, Math.min(ttl, REST));
    }
  }

  async function ensureTag(name: UpstreamTag, options: ReadOptions): Promise<void> {
    const owner = await images.ownerOf(name);
    if (owner.is === 'theirs') return;
    const had = known.tagged(name)?.manifest.digest ?? (owner.is === 'fetched' ? owner.digest : undefined);
    const { isOffline, ttl } = rules() ?? { isOffline: true, ttl: 0 };
    if (isOffline) return;
    if (had !== undefined) {
      if (!rests(name.host)) await renew(name, had, options);
      return;
    }
    await take(name, await get(name, name.tag, options), name.tag);
    check(upstreamText(name, name.tag), ttl);
  }

  async function ensureDigest(name: UpstreamName, digest: Digest, options: ReadOptions): Promise<void> {
    if ((await isHere(name, digest)) || rules()?.isOffline !== false) return;
    await take(name, await get(name, digest, options));
  }

  return {
    rests,
    forget: (name, reference) => void checked.delete(upstreamText(name, reference)),
    ensure: async (name, reference, options) => {
      const key = upstreamText(name, reference);
      if (isFresh(key)) return;
      const { host, path } = name;
      // Another registry that asks may be the very one for whose answer it would wait here.
      const turn = [key, ...(options.via ?? [])].join(' ');
      const work =
        asking.get(turn) ??
        (isDigest(reference)
          ? ensureDigest(name, reference, options)
          : ensureTag({ host, path, tag: reference }, options)
        ).finally(() => asking.delete(turn));
      asking.set(turn, work);
      await untilAborted(work, options.signal);
    },
  };
}

/** Of many, those that were added last. */
function remember<T>(map: Map<string, T>, key: string, value: T): void {
  map.delete(key);
  map.set(key, value);
  const [oldest] = map.keys();
  if (map.size > MOST_REMEMBERED && oldest !== undefined) map.delete(oldest);
}
