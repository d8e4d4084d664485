// Runs the embedded registry in this process: the store, the server, and the record that announces it.

import { join, resolve } from 'node:path';
import { type Disposables, disposables } from '../../io/concurrency/disposables.ts';
import { acquireLock } from '../../io/files/lock.ts';
import type { ProcessFigures } from '../../observe/metrics/process-metrics.ts';
import type { OnNotice } from '../../observe/observation.ts';
import { checkArguments, objectWith, TEXT } from '../../oci/arguments.ts';
import type { RunningServer } from '../../server/listen.ts';
import { SETTINGS, TEXTS } from '../arguments.ts';
import { callOptions, type Settings } from '../settings.ts';
import { alreadyRunning } from './already-running.ts';
import { discardEmptyStore, storeIsBegun } from './empty-store.ts';
import { imagesGroup } from './images-group.ts';
import type { InheritedSocket } from './listen-addresses.ts';
import { logSettingsBy } from './log-config.ts';
import { withNamedData } from './named-config.ts';
import { registryNeighbours } from './neighbours.ts';
import { keptOwnerSecret } from './owner-secret.ts';
import { isSystemService } from './registry-adverts.ts';
import type { LogPlace, RegistryState } from './registry-record.ts';
import { dataDirectory, runningRegistry } from './registry-state.ts';
import { renewedAccess, renewedTls } from './renewed-parts.ts';
import { checkServingOptions, drainTime, servedNames, servedOptions } from './served-options.ts';
import { type Announced, keepStore, openServedStore, type ServedStore } from './served-store.ts';
import { SHORT_GRACE, servingEnd } from './serving-end.ts';
import { type Listening, listenOverStore } from './serving-listener.ts';
import { type ObserverOptions, type ServingObservers, servingObservers } from './serving-observers.ts';
import type { ServingOptions } from './serving-options.ts';
import type { Reloaded } from './serving-record.ts';
import { servingReload } from './serving-reload.ts';
import { type ServingRules, servingRules } from './serving-rules.ts';
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
  const rules = watchers.add(await servingRules(data, { ...request, onChange: () => onChange?.() }, settings));
  request.logBy(logSettingsBy(request, () => rules.config));
  const options = servedOptions(request, rules.config);
  let state: RegistryState | undefined;
  const announced = () => state;
  const served = await openForServing(request, rules, { ...settings, announced });
  const { space } = served.store;
  if (space) watchers.add(watchSpace(space, { limit: () => rules.config.quota, onNotice }));
  // Of two that start at once, the second sees that the first runs.
  await using _starting = served.isReadOnly
    ? undefined
    : await acquireLock(join(data, 'images/starting'), callOptions(settings));
  const running = runningRegistry(data, settings);
  if (running) throw alreadyRunning(running);
  const namesNow = () => servedNames(request, rules.config);
  const secured = await securedBy({ ...request, options, namesNow }, { rules, served, watchers }, settings);
  const listening = await listenOverStore(
    {
      ...request,
      ...secured,
      options,
      namesNow,
      audits: () => rules.access.htpasswd !== undefined || (request.isAudited ?? rules.config.audit ?? false),
      grace: () => drainTime(request, rules.config) ?? SHORT_GRACE,
      quota: () => rules.config.quota,
    },
    served,
    { ...settings, announced },
  );
  const { server, activity } = listening;
  try {
    const { version, processFigures } = request;
    const { access, certificates } = secured;
    request.metrics.attach({ version, store: served.store, rules, server, certificates, processFigures });
    const open = await tellingWhatIsOpen({ rules, served, server, onNotice });
    const announcement = listening.announce(rules);
    state = announcement.state;
    served.proxy?.warmUp();
    const hasChanged = () => {
      observe({ type: 'reloaded', file: rules.file });
      open.again();
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
    const endWatching = watchers.handOver();
    const keeping = keepStore(
      served,
      { state: announcement.state, rules, activity, onHousekeeping: observe },
      settings,
    );
    const opened = open.first === undefined ? {} : { open: open.first };
    observe({ type: 'serving', data, addresses: server.addresses, ...opened });
    const end = servingEnd({
      ...{ server, observe, onNotice, signal: settings.signal, watchers: request.watchers },
      grace: () => drainTime(request, rules.config) ?? SHORT_GRACE,
      afterwards: async () => {
        try {
          await keeping.end();
          reloading.end();
          announcement.withdraw();
        } finally {
          endWatching();
        }
      },
    });
    return { state: announcement.state, ...opened, reload: reloading.reload, ...end };
  } catch (error) {
    await server[Symbol.asyncDispose]();
    throw error;
  }
}

async function openForServing(request: ServeStore, rules: ServingRules, settings: Settings & Announced) {
  const { data, observe, onNotice, metrics } = request;
  const served = await openServedStore(data, rules, {
    ...settings,
    onNotice,
    onProxy: observe,
    onReceived: request.onReceived,
    counts: metrics.proxy,
    smallFileCounts: metrics.smallFiles,
  });
  if (served.isReadOnly && rules.proxy)
    onNotice('what is fetched is passed on and not stored: the store is on a read-only file system');
  if (served.isReadOnly) onNotice(`the store is on a read-only file system, so pushes are refused: ${data}`);
  return served;
}

interface Securing {
  readonly rules: ServingRules;
  readonly served: ServedStore;
  /** Dispose of what is renewed. */
  readonly watchers: Disposables;
}

/** Who may do what, and the certificates. */
async function securedBy(
  request: ServeStore & Pick<Listening, 'options' | 'namesNow'>,
  { rules, served, watchers }: Securing,
  settings: Settings,
) {
  const { data, options, namesNow: names } = request;
  /** What is told with it is for somebody to mend. */
  const onNotice = (text: string) => request.onNotice(text, 'warn');
  const neighbours = registryNeighbours(() => rules.access, onNotice);
  const owner = await ownerOf({ ...request, onNotice }, served, settings);
  const { mayDo } = served;
  const { htpasswd } = rules.access;
  const access = watchers.add(
    await renewedAccess({ data, htpasswd, mayDo, neighbours, ownerSecret: owner?.secret, onNotice }),
  );
  const certificates = await renewedTls({ data, ...options.tls, names, onNotice });
  if (certificates) watchers.add(certificates);
  return { access, ...(owner && { ownerFile: owner.file }), ...(certificates && { certificates }) };
}

interface Opened extends Omit<Securing, 'watchers'> {
  readonly server: RunningServer;
  readonly onNotice: OnNotice;
}

/** Tells what others may do without logging in, and which users are unknown: now, and again when the rules have changed. */
async function tellingWhatIsOpen({ rules, served, server, onNotice }: Opened) {
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
    if (text !== undefined) onNotice(text, 'warn');
  };
  await tellUnknown();
  return {
    first: open.first,
    again: () => {
      open.again();
      void tellUnknown().catch(() => undefined);
    },
  };
}

/** The secret that commands on this machine can read: members of the group `images`, too, if the registry is a service. */
function ownerOf({ data, onNotice }: ServeStore, { isReadOnly }: ServedStore, settings: Settings) {
  const { uid } = settings;
  const group = isSystemService(settings) ? imagesGroup() : undefined;
  return keptOwnerSecret({ data: resolve(data), uid, group, isReadOnly, onNotice });
}
