// Runs the embedded registry in this process: the store, the server, and the record that announces it.

import { join, resolve } from 'node:path';
import type { AccessControl } from '../../access/contract.ts';
import type { TlsContexts } from '../../certificates/contract.ts';
import { disposables } from '../../io/concurrency/disposables.ts';
import { acquireLock } from '../../io/files/lock.ts';
import { WELL_KNOWN_HOSTS } from '../../nodes/well-known-hosts.ts';
import type { ProcessFigures } from '../../observe/metrics/process-metrics.ts';
import { checkArguments, objectWith, TEXT } from '../../oci/arguments.ts';
import { isImagesError } from '../../oci/errors.ts';
import type { RequestKind, ServerEvent } from '../../server/events.ts';
import { type RunningServer, serve } from '../../server/listen.ts';
import { SETTINGS, TEXTS } from '../arguments.ts';
import { alsoDebugged, callOptions, type Settings } from '../settings.ts';
import { alreadyRunning, usedBy } from './already-running.ts';
import { discardEmptyStore, storeIsBegun } from './empty-store.ts';
import { imagesGroup } from './images-group.ts';
import { inOneLine } from './in-one-line.ts';
import type { InheritedSocket } from './listen-addresses.ts';
import { logSettingsBy } from './log-config.ts';
import { withNamedData } from './named-config.ts';
import { registryNeighbours } from './neighbours.ts';
import { keptOwnerSecret } from './owner-secret.ts';
import { recordedProxy } from './proxy-config.ts';
import { isSystemService } from './registry-adverts.ts';
import type { LogPlace, RegistryState } from './registry-record.ts';
import { type Announcement, announceRegistry, dataDirectory, runningRegistry } from './registry-state.ts';
import { renewedAccess, renewedTls } from './renewed-parts.ts';
import {
  checkServingOptions,
  drainTime,
  type ServedOptions,
  servedNames,
  servedOptions,
  tlsSettings,
} from './served-options.ts';
import { type Announced, keepStore, openServedStore, type ServedStore, schedules } from './served-store.ts';
import { ownAuthorityFile } from './served-tls.ts';
import { servingHealth } from './serving-health.ts';
import { type ObserverOptions, type ServingObservers, servingObservers } from './serving-observers.ts';
import type { ServingOptions } from './serving-options.ts';
import type { Reloaded } from './serving-record.ts';
import { servingReload } from './serving-reload.ts';
import { type ServingRules, servingRules } from './serving-rules.ts';
import { startedWith } from './started-with.ts';
import { unknownUsers } from './unknown-users.ts';
import { watchSpace } from './watch-space.ts';
import { sayingWhatIsOpen, whatIsOpen } from './what-is-open.ts';

export interface ServeRequest extends ServingOptions, ObserverOptions {
  readonly listen: readonly string[];
  /** Sockets that listen already; then 127.0.0.1:5000 is none of the addresses, unless it is said. */
  readonly sockets?: readonly InheritedSocket[];
  readonly version: string;
  /** Where the caller writes the log: recorded, for those who want to read it. */
  readonly logPlace?: LogPlace;
  /** Told of the bytes of bodies as they come: buffers that are garbage soon. */
  readonly onReceived?: (bytes: number) => void;
  /** What the process tells of itself at `/metrics`. */
  readonly processFigures?: () => Promise<ProcessFigures>;
}

export interface ServedRegistry extends AsyncDisposable {
  readonly state: RegistryState;
  /** One line: what others may do without logging in; absent if nothing, or nobody else reaches it. */
  readonly open?: string;
  /** Takes no more requests, and stops when those have ended that are under way. */
  drain(): Promise<void>;
  /** Stops, and ends requests after half a second, whatever was said before. */
  stopNow(): Promise<void>;
  /** Resolves when the registry has stopped. */
  readonly stopped: Promise<void>;
  /**
   * Reads the configuration again, and the files that it names: certificates, users. Requests that are under way go on. What takes a new socket or another store
   * stays as it is. Errors: CONFIG_INVALID, FILE_UNREADABLE and others of these files: then all stays as it is.
   */
  reload(): Promise<Reloaded>;
}

/**
 * Serves the user's store until it is disposed or the settings' signal is aborted. Errors: ALREADY_RUNNING (this data directory is served), USAGE (an invalid
 * address), ADDRESS_IN_USE, ADDRESS_NOT_PERMITTED, ADDRESS_UNAVAILABLE, NO_ACCESS, READ_ONLY, CONFIG_INVALID, FILE_UNREADABLE (the configuration).
 */
export async function serveRegistry(request: ServeRequest, given: Settings): Promise<ServedRegistry> {
  checkArguments({ request: [request, objectWith({ listen: TEXTS, version: TEXT })], settings: [given, SETTINGS] });
  checkServingOptions(request);
  const settings = await withNamedData(given);
  const data = dataDirectory(settings);
  const isNew = !storeIsBegun(data);
  try {
    return await serveStore({ ...request, ...servingObservers(request), data }, settings);
  } catch (error) {
    if (isNew) discardEmptyStore(data);
    throw error;
  }
}

interface ServeStore extends Omit<ServeRequest, keyof ObserverOptions>, ServingObservers {
  readonly data: string;
}

async function serveStore(request: ServeStore, settings: Settings): Promise<ServedRegistry> {
  const { data, observe, onNotice } = request;
  using watchers = disposables();
  let onChange: (() => void) | undefined;
  /** What is told with it is for somebody to mend. */
  const onTrouble = (text: string) => onNotice(text, 'warn');
  const rules = watchers.add(await servingRules(data, { ...request, onChange: () => onChange?.() }, settings));
  request.logBy(logSettingsBy(request, () => rules.config));
  const options = servedOptions(request, rules.config);
  let state: RegistryState | undefined;
  const announced = () => state;
  const served = await openServedStore(data, rules, {
    ...settings,
    announced,
    onNotice,
    onProxy: observe,
    onReceived: request.onReceived,
    counts: request.metrics.proxy,
    smallFileCounts: request.metrics.smallFiles,
  });
  if (served.isReadOnly && rules.proxy)
    onNotice('what is fetched is passed on and not stored: the store is on a read-only file system');
  if (served.isReadOnly) onNotice(`the store is on a read-only file system, so pushes are refused: ${data}`);
  const { space } = served.store;
  if (space) watchers.add(watchSpace(space, { limit: () => rules.config.quota, onNotice }));
  // Of two that start at once, the second sees that the first runs.
  await using _starting = served.isReadOnly
    ? undefined
    : await acquireLock(join(data, 'images/starting'), callOptions(settings));
  const running = runningRegistry(data, settings);
  if (running) throw alreadyRunning(running);
  const { htpasswd } = rules.access;
  const { mayDo } = served;
  const names = () => servedNames(request, rules.config);
  const neighbours = registryNeighbours(() => rules.access, onTrouble);
  const owner = await ownerOf({ ...request, onNotice: onTrouble }, served, settings);
  const access = watchers.add(
    await renewedAccess({ data, htpasswd, mayDo, neighbours, ownerSecret: owner?.secret, onNotice: onTrouble }),
  );
  const certificates = await renewedTls({ data, ...options.tls, names, onNotice: onTrouble });
  if (certificates) watchers.add(certificates);
  const secured = { access, ...(owner && { ownerFile: owner.file }), ...(certificates && { certificates }) };
  const audits = () => rules.access.htpasswd !== undefined || (request.isAudited ?? rules.config.audit ?? false);
  const quota = () => rules.config.quota;
  const grace = () => drainTime(request, rules.config) ?? SHORT_GRACE;
  const listening = await listenFor(
    { ...request, ...secured, options, namesNow: names, audits, grace, quota },
    served,
    {
      ...settings,
      announced,
    },
  );
  const { server, activity } = listening;
  const { version, processFigures } = request;
  request.metrics.attach({ version, store: served.store, rules, server, certificates, processFigures });
  try {
    const open = sayingWhatIsOpen(
      () =>
        whatIsOpen(
          served.isReadOnly ? { ...rules.access, readOnly: true } : rules.access,
          server.addresses,
          served.proxy && rules.proxy,
        ),
      onNotice,
    );
    const tellUnknown = async () => {
      const text = await unknownUsers(rules.access);
      if (text !== undefined) onTrouble(text);
    };
    await tellUnknown();
    const announcement = listening.announce(rules);
    state = announcement.state;
    served.proxy?.warmUp();
    const hasChanged = () => {
      observe({ type: 'reloaded', file: rules.file });
      open.again();
      void tellUnknown().catch(() => undefined);
      listening.renew(rules, announcement);
    };
    const reloading = servingReload({
      ...{ options: request, rules, access, certificates, onNotice },
      recorded: served.isReadOnly ? undefined : state,
      onReloaded: hasChanged,
    });
    onChange = () => {
      hasChanged();
      reloading.changed();
    };
    const withdraw = () => {
      reloading.end();
      announcement.withdraw();
    };
    const endWatching = watchers.handOver();
    const keeping = keepStore(served, { state, rules, activity, onHousekeeping: observe }, settings);
    observe({
      type: 'serving',
      data,
      addresses: server.addresses,
      ...(open.first !== undefined && { open: open.first }),
    });
    const stopped = server.stopped
      .then(() => keeping.end())
      .then(withdraw)
      .finally(endWatching)
      .finally(() => {
        settings.signal?.removeEventListener('abort', tellStopping);
        observe({ type: 'stopped' });
      });
    let isStopping = false;
    const tellStopping = () => {
      if (isStopping) return;
      isStopping = true;
      observe({ type: 'stopping' });
      const activeRequests = server.activeRequests - request.watchers();
      if (activeRequests > 0 && grace() > SHORT_GRACE)
        onNotice(`stopping when requests have ended: ${activeRequests} under way; a second signal ends them`);
    };
    settings.signal?.addEventListener('abort', tellStopping, { once: true });
    const stop = async () => {
      tellStopping();
      await server[Symbol.asyncDispose]();
      await stopped;
    };
    return {
      state,
      ...(open.first !== undefined && { open: open.first }),
      stopped,
      reload: reloading.reload,
      drain: async () => {
        tellStopping();
        await server.stop(Number.POSITIVE_INFINITY);
      },
      stopNow: async () => {
        tellStopping();
        await server.stop(SHORT_GRACE);
      },
      [Symbol.asyncDispose]: stop,
    };
  } catch (error) {
    await server[Symbol.asyncDispose]();
    throw error;
  }
}

/** In milliseconds. */
const SHORT_GRACE = 500;

/** The secret that commands on this machine can read: members of the group `images`, too, if the registry is a service. */
function ownerOf({ data, onNotice }: ServeStore, { isReadOnly }: ServedStore, settings: Settings) {
  const { uid } = settings;
  const group = isSystemService(settings) ? imagesGroup() : undefined;
  return keptOwnerSecret({ data: resolve(data), uid, group, isReadOnly, onNotice });
}

/** Probes, Prometheus, and who watches. */
const WATCHING: readonly RequestKind[] = ['health', 'ready', 'metrics', 'events'];

interface Listening {
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

/** The server over the store, and how it is announced. */
async function listenFor(
  request: ServeStore & Listening,
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
