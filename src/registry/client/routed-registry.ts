// The registry of a host as it is configured: reads go to its mirrors in order and then to the host, writes go to the host.
import { isDigest } from '../../oci/digest.ts';
import { ImagesError, isImagesError } from '../../oci/errors.ts';
import { decodeManifest } from '../../oci/manifest.ts';
import type { ReadOptions, Registry } from '../contract.ts';
import { heldBack } from './held-back.ts';
import type { EndpointRegistry } from './http-registry.ts';
import { requireLength, routedBlob } from './routed-blob.ts';
import type { ClientDecision, Endpoint, HostRule, Mirror, RetryEvent } from './settings.ts';

export interface Routing {
  readonly rule: (host: string, repository: string | undefined) => Promise<HostRule>;
  readonly connect: (endpoint: Endpoint, patience: Patience) => EndpointRegistry;
  readonly onRetry: ((event: RetryEvent) => void) | undefined;
  readonly onDecision: ((event: ClientDecision) => void) | undefined;
  readonly temporaryDirectory: string;
}

/** How long to wait for a route: little if there is another one. */
export type Patience = 'whole' | 'little';

/** A registry to ask, and the repository's name there. */
interface Route {
  readonly registry: EndpointRegistry;
  readonly repository: string;
  readonly options: ReadOptions;
  readonly mirror: Mirror | undefined;
}

/** Milliseconds for which an unreachable mirror is not asked. Each attempt may cost half a minute, and there is one for each blob. */
const REST = 300_000;

export function routedRegistry(host: string, routing: Routing): Registry {
  const restingUntil = new Map<string, number>();
  /** Blobs that a mirror has with wrong bytes: `MIRROR DIGEST`. */
  const spoiled = new Set<string>();
  const rests = (mirror: Mirror) => (restingUntil.get(mirror.host) ?? 0) > Date.now();
  const upstream = async (repository?: string): Promise<{ registry: Registry; repository: string }> => {
    const rule = allowed(host, await routing.rule(host, repository));
    if (!rule.upstream) throw notToBeAsked(host);
    return { registry: routing.connect(rule.upstream, 'whole'), repository: renamed(rule.upstream, repository ?? '') };
  };

  const routes = async (
    repository: string,
    reference: string,
    options: ReadOptions = {},
  ): Promise<readonly Route[]> => {
    const rule = allowed(host, await routing.rule(host, repository));
    const wanted = isDigest(reference) ? 'by-digest' : 'by-tag';
    const suited = rule.mirrors.filter((mirror) => mirror.pulls === 'all' || mirror.pulls === wanted);
    const mirrors = suited
      .filter((mirror) => !rule.upstream || !rests(mirror))
      .map((mirror, nth, all) => ({
        registry: routing.connect(mirror, !rule.upstream && nth === all.length - 1 ? 'whole' : 'little'),
        repository: renamed(mirror, repository),
        options: mirror.namespace ? { ...options, host } : options,
        mirror,
      }));
    const own = rule.upstream && {
      registry: routing.connect(rule.upstream, 'whole'),
      repository: renamed(rule.upstream, repository),
      options,
      mirror: undefined,
    };
    if (mirrors.length === 0 && !own) throw notToBeAsked(host);
    if (suited.length > 0) {
      routing.onDecision?.({
        type: 'routes',
        host,
        repository,
        order: [...mirrors.map(({ mirror }) => mirror.host), ...(own ? [host] : [])],
        resting: rule.upstream ? suited.filter(rests).map((mirror) => mirror.host) : [],
      });
    }
    return own ? [...mirrors, own] : mirrors;
  };

  const note = (route: Route, error: ImagesError) =>
    routing.onRetry?.({ host, what: `mirror ${route.mirror?.host}`, after: 0, why: error.message });

  /** Asks the routes in order. If a mirror fails, whatever the reason, the next route is asked; the error of the last route is thrown. */
  const inTurn = async <T>(
    at: readonly Route[],
    read: (route: Route, isLast: boolean) => Promise<T>,
    found: (result: T) => boolean = () => true,
  ): Promise<{ readonly result: T; readonly route: Route; readonly rest: readonly Route[] }> => {
    for (const [index, route] of at.entries()) {
      const last = index === at.length - 1;
      try {
        const result = await read(route, last);
        if (last || found(result)) {
          if (at.length > 1) {
            const { repository, mirror } = route;
            routing.onDecision?.({ type: 'answered', host, repository, by: mirror?.host ?? host });
          }
          return { result, route, rest: at.slice(index + 1) };
        }
      } catch (error) {
        if (last || !isImagesError(error)) throw error;
        if (route.mirror && isImagesError(error, 'UNREACHABLE', 'TIMEOUT')) {
          restingUntil.set(route.mirror.host, Date.now() + REST);
        }
        routing.onDecision?.({ type: 'passed-over', host, by: route.mirror?.host ?? host, error });
        if (!isAbsence(error)) note(route, error);
      }
    }
    throw notToBeAsked(host);
  };
  const first = async <T>(...turn: Parameters<typeof inTurn<T>>): Promise<T> => (await inTurn(...turn)).result;

  const getBlob: Registry['getBlob'] = async (repository, digest, options = {}) => {
    const { from: _from, to: _to, ...rest } = options;
    const all = await routes(repository, digest, rest);
    const at = all.filter(({ mirror }, nth) => nth === all.length - 1 || !spoiled.has(`${mirror?.host} ${digest}`));
    const [only] = at;
    if (only && at.length === 1) return only.registry.getBlob(only.repository, digest, { ...options, ...only.options });
    const content = await routedBlob<Route>({
      digest,
      options,
      routes: at,
      open: (some, asked) =>
        inTurn(some, async (route) =>
          requireLength(await route.registry.openBlob(route.repository, digest, { ...asked, ...route.options }), asked),
        ),
      onBroken: note,
      spoil(route, error) {
        if (route === all.at(-1)) return false;
        spoiled.add(`${route.mirror?.host} ${digest}`);
        note(route, error);
        return true;
      },
    });
    return heldBack(content, options, {
      again: () => getBlob(repository, digest, options),
      temporaryDirectory: routing.temporaryDirectory,
    });
  };

  return {
    async getManifest(repository, reference, options) {
      const at = await routes(repository, reference, options);
      return first(at, async (route, isLast) => {
        const raw = await route.registry.getManifest(route.repository, reference, route.options);
        // An invalid manifest may be valid at the next route.
        if (!isLast) decodeManifest(raw);
        return raw;
      });
    },
    async statManifest(repository, reference, options) {
      const at = await routes(repository, reference, options);
      const read = (route: Route) => route.registry.statManifest(route.repository, reference, route.options);
      return first(at, read, (found) => found !== undefined);
    },
    getBlob,
    async statBlob(repository, digest, options) {
      const at = await routes(repository, digest, options);
      const read = (route: Route) => route.registry.statBlob(route.repository, digest, route.options);
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
      // The source is blocked or at another registry: a host can have different rules for its repositories.
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
      const at = await routes(repository, '', options);
      yield* await first(at, (route) => Array.fromAsync(route.registry.tags(route.repository, after, route.options)));
    },
    async *referrers(repository, subject, artifactType, options) {
      const at = await routes(repository, subject, options);
      const read = (route: Route) =>
        Array.fromAsync(route.registry.referrers(route.repository, subject, artifactType, route.options));
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
