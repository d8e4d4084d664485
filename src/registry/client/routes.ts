// Where a host's registry is asked: its mirrors in order, then the host; writes go to the host. Mirrors that do not answer rest for a while.
import { isDigest } from '../../oci/digest.ts';
import { ImagesError, isImagesError } from '../../oci/errors.ts';
import type { ReadOptions, Registry } from '../contract.ts';
import type { EndpointRegistry } from './http-registry.ts';
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
export interface Route {
  readonly registry: EndpointRegistry;
  readonly repository: string;
  readonly options: ReadOptions;
  /** Absent: the host itself. */
  readonly mirror: Mirror | undefined;
}

/** What a route answered. */
export interface Answer<T> {
  readonly result: T;
  readonly route: Route;
  /** The routes after it. */
  readonly rest: readonly Route[];
}

export interface Routes {
  /** Where to write. Errors: DENIED (blocked), UNREACHABLE (only its mirrors may be asked). */
  toWrite(repository?: string): Promise<{ readonly registry: Registry; readonly repository: string }>;
  /** Where to read, in order; at least one. Errors: as `toWrite`. */
  toRead(repository: string, reference: string, options?: ReadOptions): Promise<readonly Route[]>;
  /** Asks in order, until one has `found` it. If a mirror fails, whatever the reason, the next route is asked; the error of the last route is thrown. */
  inTurn<T>(
    routes: readonly Route[],
    read: (route: Route, isLast: boolean) => Promise<T>,
    found?: (result: T) => boolean,
  ): Promise<Answer<T>>;
  /** Tells `onRetry` that another route is asked instead of this one. */
  note(route: Route, error: ImagesError): void;
}

/** Milliseconds for which an unreachable mirror is not asked. Each attempt may cost half a minute, and there is one for each blob. */
const REST = 300_000;

export function routesOf(host: string, routing: Routing): Routes {
  const restingUntil = new Map<string, number>();
  const rests = (mirror: Mirror) => (restingUntil.get(mirror.host) ?? 0) > Date.now();

  const toRead: Routes['toRead'] = async (repository, reference, options = {}) => {
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

  const toWrite: Routes['toWrite'] = async (repository) => {
    const rule = allowed(host, await routing.rule(host, repository));
    if (!rule.upstream) throw notToBeAsked(host);
    return { registry: routing.connect(rule.upstream, 'whole'), repository: renamed(rule.upstream, repository ?? '') };
  };

  const note: Routes['note'] = (route, error) =>
    routing.onRetry?.({ host, what: `mirror ${route.mirror?.host}`, after: 0, why: error.message });

  const inTurn: Routes['inTurn'] = async (at, read, found = () => true) => {
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
  return { toWrite, toRead, inTurn, note };
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
