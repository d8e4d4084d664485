// A host's registry as it is configured: reads go to its mirrors in order and then to the host itself, writes to the host itself.

import { isDigest } from '../../oci/digest.ts';
import { ImagesError, isImagesError } from '../../oci/errors.ts';
import type { ReadOptions, Registry } from '../contract.ts';
import type { Endpoint, HostRule, Mirror, RetryEvent } from './settings.ts';

export interface Routing {
  readonly rule: (host: string, repository: string | undefined) => Promise<HostRule>;
  readonly connect: (endpoint: Endpoint) => Registry;
  readonly onRetry: ((event: RetryEvent) => void) | undefined;
}

/** A place to ask: a registry, and what the repository is called there. */
interface Place {
  readonly registry: Registry;
  readonly repository: string;
  readonly options: ReadOptions;
  readonly mirror: Mirror | undefined;
}

/** Milliseconds for which a mirror that could not be reached is left alone: each attempt may cost half a minute, and there is one a blob. */
const REST = 300_000;

export function routedRegistry(host: string, routing: Routing): Registry {
  const restingUntil = new Map<string, number>();
  const upstream = async (repository?: string): Promise<{ registry: Registry; repository: string }> => {
    const rule = allowed(host, await routing.rule(host, repository));
    if (!rule.upstream) throw notToBeAsked(host);
    return { registry: routing.connect(rule.upstream), repository: renamed(rule.upstream, repository ?? '') };
  };

  const places = async (
    repository: string,
    reference: string,
    options: ReadOptions = {},
  ): Promise<readonly Place[]> => {
    const rule = allowed(host, await routing.rule(host, repository));
    const wanted = isDigest(reference) ? 'by-digest' : 'by-tag';
    const mirrors = rule.mirrors
      .filter((mirror) => mirror.pulls === 'all' || mirror.pulls === wanted)
      .filter((mirror) => !rule.upstream || (restingUntil.get(mirror.host) ?? 0) <= Date.now())
      .map((mirror) => ({
        registry: routing.connect(mirror),
        repository: renamed(mirror, repository),
        options: mirror.namespace ? { ...options, host } : options,
        mirror,
      }));
    const own = rule.upstream && {
      registry: routing.connect(rule.upstream),
      repository: renamed(rule.upstream, repository),
      options,
      mirror: undefined,
    };
    if (mirrors.length === 0 && !own) throw notToBeAsked(host);
    return own ? [...mirrors, own] : mirrors;
  };

  /** The first place that has it. Any failure of a mirror is a reason to ask the next; that of the last place is the outcome. */
  const first = async <T>(
    at: readonly Place[],
    read: (place: Place) => Promise<T>,
    found: (result: T) => boolean = () => true,
  ): Promise<T> => {
    for (const [index, place] of at.entries()) {
      const last = index === at.length - 1;
      try {
        const result = await read(place);
        if (last || found(result)) return result;
      } catch (error) {
        if (last || !isImagesError(error)) throw error;
        if (place.mirror && isImagesError(error, 'UNREACHABLE', 'TIMEOUT')) {
          restingUntil.set(place.mirror.host, Date.now() + REST);
        }
        if (!isAbsence(error)) {
          routing.onRetry?.({ host, what: `mirror ${place.mirror?.host}`, after: 0, why: error.message });
        }
      }
    }
    throw notToBeAsked(host);
  };

  return {
    async getManifest(repository, reference, options) {
      const at = await places(repository, reference, options);
      return first(at, (place) => place.registry.getManifest(place.repository, reference, place.options));
    },
    async statManifest(repository, reference, options) {
      const at = await places(repository, reference, options);
      const read = (place: Place) => place.registry.statManifest(place.repository, reference, place.options);
      return first(at, read, (found) => found !== undefined);
    },
    async getBlob(repository, digest, options = {}) {
      const { from, to, ...rest } = options;
      const range = { ...(from !== undefined && { from }), ...(to !== undefined && { to }) };
      const at = await places(repository, digest, rest);
      return first(at, (place) => place.registry.getBlob(place.repository, digest, { ...place.options, ...range }));
    },
    async statBlob(repository, digest, options) {
      const at = await places(repository, digest, options);
      const read = (place: Place) => place.registry.statBlob(place.repository, digest, place.options);
      return first(at, read, (found) => found !== undefined);
    },
    async putBlob(repository, blob, open, options) {
      const to = await upstream(repository);
      await to.registry.putBlob(to.repository, blob, open, options);
    },
    async openUpload(repository, id, options) {
      const to = await upstream(repository);
      return to.registry.openUpload(to.repository, id, options);
    },
    async mountBlob(repository, digest, from, options) {
      const to = await upstream(repository);
      const source = from === undefined ? undefined : await upstream(from).catch(() => undefined);
      // It is blocked, or elsewhere: other rules are good for other repositories of a host.
      if (from !== undefined && source?.registry !== to.registry) return false;
      return to.registry.mountBlob(to.repository, digest, source?.repository, options);
    },
    async putManifest(repository, manifest, tags, options) {
      const to = await upstream(repository);
      await to.registry.putManifest(to.repository, manifest, tags, options);
    },
    async deleteTag(repository, tag, options) {
      const to = await upstream(repository);
      await to.registry.deleteTag(to.repository, tag, options);
    },
    async deleteManifest(repository, digest, options) {
      const to = await upstream(repository);
      await to.registry.deleteManifest(to.repository, digest, options);
    },
    async deleteBlob(repository, digest, options) {
      const to = await upstream(repository);
      await to.registry.deleteBlob(to.repository, digest, options);
    },
    async *repositories(after, options) {
      const to = await upstream();
      yield* to.registry.repositories(after, options);
    },
    async *tags(repository, after, options) {
      const at = await places(repository, '', options);
      yield* await first(at, (place) => Array.fromAsync(place.registry.tags(place.repository, after, place.options)));
    },
    async *referrers(repository, subject, artifactType, options) {
      const at = await places(repository, subject, options);
      const read = (place: Place) =>
        Array.fromAsync(place.registry.referrers(place.repository, subject, artifactType, place.options));
      yield* await first(at, read, (found) => found.length > 0);
    },
    partialBytes: async () => 0,
  };
}

function allowed(host: string, rule: HostRule): HostRule {
  if (rule.blockedBy === undefined) return rule;
  throw new ImagesError('DENIED', `${host} is blocked by ${rule.blockedBy}`, { hint: 'Change `blocked` there.' });
}

function renamed({ rename }: Endpoint, repository: string): string {
  if (!rename || repository === '') return repository;
  return [rename.to, repository.slice(rename.from.length).replace(/^\//, '')].filter(Boolean).join('/');
}

function isAbsence(error: ImagesError): boolean {
  return error.code === 'MANIFEST_UNKNOWN' || error.code === 'NAME_UNKNOWN' || error.code === 'BLOB_UNKNOWN';
}

function notToBeAsked(host: string): ImagesError {
  return new ImagesError('UNREACHABLE', `${host} has no mirror that can be asked, and is itself not to be asked`, {
    hint: 'See its hosts.toml or registries.conf.',
  });
}
