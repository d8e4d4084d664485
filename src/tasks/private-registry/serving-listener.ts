// The server over a store that is open, and how both are announced to other commands.
import { resolve } from 'node:path';
import type { AccessControl } from '../../access/contract.ts';
import type { TlsContexts } from '../../certificates/contract.ts';
import { WELL_KNOWN_HOSTS } from '../../nodes/well-known-hosts.ts';
import { isImagesError } from '../../oci/errors.ts';
import type { RequestKind, ServerEvent } from '../../server/events.ts';
import { type RunningServer, serve } from '../../server/listen.ts';
import { alsoDebugged, callOptions, type Settings } from '../settings.ts';
import { usedBy } from './already-running.ts';
import { inOneLine } from './in-one-line.ts';
import { recordedProxy } from './proxy-config.ts';
import type { LogPlace } from './registry-record.ts';
import { type Announcement, announceRegistry } from './registry-state.ts';
import { drainTime, type ServedOptions, tlsSettings } from './served-options.ts';
import { type Announced, type ServedStore, schedules } from './served-store.ts';
import { ownAuthorityFile } from './served-tls.ts';
import { servingHealth } from './serving-health.ts';
import type { ServingObservers } from './serving-observers.ts';
import type { ServingOptions } from './serving-options.ts';
import type { ServingRules } from './serving-rules.ts';
import { startedWith } from './started-with.ts';

/** Probes, Prometheus, and who watches. */
const WATCHING: readonly RequestKind[] = ['health', 'ready', 'metrics', 'events'];

export interface Listening {
  readonly options: ServedOptions;
  /** Asked each time, as the next one. */
  readonly namesNow: () => readonly string[];
  readonly audits: () => boolean;
  /** In milliseconds: what requests have when the registry is told to stop. */
  readonly grace: () => number;
  readonly access: AccessControl;
  readonly ownerFile?: string;
  readonly certificates?: TlsContexts;
  /** In bytes; `undefined` while there is no limit. */
  readonly quota: () => number | undefined;
}

export interface ListenRequest extends Listening, ServingOptions, ServingObservers {
  readonly data: string;
  readonly listen: readonly string[];
  readonly version: string;
  readonly logPlace?: LogPlace;
  readonly onReceived?: (bytes: number) => void;
}

/** The server, its activity for what waits until nobody asks, and how it is announced. Errors: those of `serve`. */
export async function listenOverStore(
  request: ListenRequest,
  served: ServedStore,
  { announced, ...settings }: Settings & Announced,
) {
  const { data, version, onReceived } = request;
  const { certificates, namesNow } = request;
  const { listen } = request.options;
  const { isReadOnly } = served;
  let lastAt = Date.now();
  const onEvent = alsoDebugged('serve', settings, (event: ServerEvent) => {
    // What looks at a registry every few seconds does not use it.
    if (event.type !== 'request' || !WATCHING.includes(event.kind)) lastAt = Date.now();
    request.observe(event.type === 'request' && request.audits() ? { ...event, isAudited: true } : event);
  });
  const server: RunningServer = await serve({
    registry: served.registry,
    listen,
    names: namesNow,
    actsFor: WELL_KNOWN_HOSTS,
    access: request.access,
    operators: request.operators,
    ...(served.fetching && { fetching: served.fetching }),
    ...(certificates && { tls: certificates }),
    health: servingHealth(data, announced, {
      isReadOnly,
      store: served.store,
      quota: request.quota,
      certificates: request.certificates,
    }),
    ...(onEvent && { onEvent }),
    grace: request.grace,
    ...(onReceived && { onReceived }),
    ...callOptions(settings),
  }).catch((error: unknown) => {
    throw isImagesError(error, 'ADDRESS_IN_USE') ? usedBy(error, listen, settings) : error;
  });
  const activity = {
    get active() {
      return server.activeRequests - request.watchers();
    },
    get lastAt() {
      return lastAt;
    },
  };
  const known = (rules: ServingRules) => {
    const options = startedWith(request);
    const proxy = served.proxy && rules.proxy;
    const isAuto = certificates !== undefined && tlsSettings(request, rules.config.tls).tls === 'auto';
    return {
      ...{ data, addresses: server.addresses, version, reloads: true, drain: drainTime(request, rules.config) ?? 0 },
      ...schedules(served, rules),
      ...(proxy && { proxy: recordedProxy(proxy) }),
      ...(options !== undefined && { startedWith: options }),
      ...(settings.config !== undefined && { config: resolve(settings.config) }),
      ...(rules.access.htpasswd !== undefined && { users: rules.access.htpasswd }),
      ...(request.logPlace && { log: request.logPlace }),
      ...(request.ownerFile !== undefined && { ownerFile: request.ownerFile }),
      ...(isAuto && { caFile: resolve(ownAuthorityFile(data)) }),
    };
  };
  const announce = (rules: ServingRules) => announceRegistry(known(rules), settings, { isReadOnly });
  const renew = (rules: ServingRules, announcement: Announcement) => {
    try {
      announcement.renew(known(rules));
    } catch (error) {
      request.onNotice(`what other commands know of this registry is from before: ${inOneLine(error)}`, 'warn');
    }
  };
  return { server, activity, announce, renew };
}
