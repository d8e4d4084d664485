// Runs the embedded registry in this process: the store, the server, and the record that announces it.
import { accessSync, constants } from 'node:fs';
import { join } from 'node:path';
import { disposables } from '../../io/concurrency/disposables.ts';
import { isFsError } from '../../io/files/fs-errors.ts';
import { acquireLock } from '../../io/files/lock.ts';
import { ImagesError, isImagesError } from '../../oci/errors.ts';
import { isHostName } from '../../oci/reference.ts';
import type { Registry } from '../../registry/contract.ts';
import { readOnly } from '../../registry/policies/read-only.ts';
import { formatListenAddress, type ListenAddress, parseListenAddress } from '../../server/address.ts';
import type { OnServerEvent, ServerEvent } from '../../server/events.ts';
import { type RunningServer, serve } from '../../server/listen.ts';
import { embeddedStoreExists } from '../../storage/embedded-store.ts';
import { pullCounts } from '../../storage/repositories/pull-records.ts';
import { tellingPulls } from '../../storage/repositories/telling-pulls.ts';
import { alsoDebugged, callOptions, type Settings, type World } from '../settings.ts';
import { configFile } from './config-file.ts';
import { discardEmptyStore, storeIsBegun } from './empty-store.ts';
import { keepHouse, type OnHousekeeping } from './housekeeping.ts';
import { keepRecords } from './keep-records.ts';
import { addressOf } from './locate-registry.ts';
import { openRuledStore } from './open-store.ts';
import { announcedRegistries } from './registry-adverts.ts';
import type { CollectionSchedule, ScrubSchedule } from './registry-config.ts';
import type { RegistryState } from './registry-record.ts';
import { announceRegistry, dataDirectory, isAnnounced, runningRegistry } from './registry-state.ts';
import { servingHealth } from './serving-health.ts';
import { watchSpace } from './watch-space.ts';
import { watchConfig } from './watched-config.ts';

export const DEFAULT_LISTEN = '127.0.0.1:5000';

export interface ServeRequest {
  /** `ADDR:PORT`; if empty, DEFAULT_LISTEN. */
  readonly listen: readonly string[];
  /** Host names that the registry's own web pages may use, beside the addresses that it listens on. */
  readonly names?: readonly string[];
  readonly version: string;
  /** How often garbage is collected; default: what the configuration says, else daily. Only stores that this program made, or that were collected once, are collected unasked. */
  readonly gc?: CollectionSchedule;
  /** How often all of the store is checked; default: what the configuration says, else weekly. A store that cannot be written to is not. */
  readonly scrub?: ScrubSchedule;
  readonly onEvent?: OnServerEvent;
  /** One line for the log: what the configuration says now, and why a changed one is not used. */
  readonly onNotice?: (text: string) => void;
  /** Told of what the registry does by itself. */
  readonly onHousekeeping?: OnHousekeeping;
}

export interface ServedRegistry extends AsyncDisposable {
  readonly state: RegistryState;
  /** Resolves when the registry has stopped. */
  readonly stopped: Promise<void>;
}

/**
 * Serves the user's store until it is disposed or the settings' signal is aborted. Errors: ALREADY_RUNNING (this data directory is served), USAGE (an invalid
 * address), ADDRESS_IN_USE, ADDRESS_NOT_PERMITTED, ADDRESS_UNAVAILABLE, NO_ACCESS, READ_ONLY, CONFIG_INVALID, FILE_UNREADABLE (the configuration).
 */
export async function serveRegistry(request: ServeRequest, settings: Settings): Promise<ServedRegistry> {
  const listen = listenAddresses(request.listen);
  checkNames(request.names);
  const data = dataDirectory(settings);
  const isNew = !storeIsBegun(data);
  try {
    return await serveStore({ ...request, data, listen }, settings);
  } catch (error) {
    if (isNew) discardEmptyStore(data);
    throw isImagesError(error, 'ADDRESS_IN_USE') ? usedBy(error, listen, settings) : error;
  }
}

/** Adds to the error which embedded registry uses the address, if it is one. */
function usedBy(error: ImagesError, listen: readonly ListenAddress[], settings: World): ImagesError {
  const there = announcedRegistries(settings).find(({ addresses }) =>
    addresses.some(({ port }) => listen.some((wanted) => wanted.port === port)),
  );
  if (!there) return error;
  const [first] = there.addresses;
  const use =
    there.uid === settings.uid
      ? `The embedded registry of ${there.data} listens there: end it with \`images lreg_stop --data=${there.data}\``
      : `User ${there.uid}'s embedded registry listens there: set LOCAL_REGISTRY=${first ? addressOf(first).host : ''} to use it`;
  const hint = `${use}, or choose another port with --listen=ADDR:PORT.`;
  return new ImagesError(error.code, error.message, { hint, cause: error });
}

interface ServeStore extends Omit<ServeRequest, 'listen'> {
  readonly data: string;
  readonly listen: readonly ListenAddress[];
}

async function serveStore({ data, listen, ...request }: ServeStore, settings: Settings): Promise<ServedRegistry> {
  const { onNotice } = request;
  using watchers = disposables();
  const config = watchers.add(
    await watchConfig(data, {
      named: settings.config,
      onChange: () => onNotice?.(`the configuration has changed: ${configFile(data, settings.config)}`),
      onBroken: (error) => onNotice?.(`the configuration has changed and is not used: ${lineOf(error)}`),
    }),
  );
  const isReadOnly = await isReadOnlyStore(data);
  if (isReadOnly) onNotice?.(`the store is on a read-only file system, so pushes are refused: ${data}`);
  const pulls = pullCounts();
  const policy = (repositories: Registry) => tellingPulls(repositories, pulls.count);
  const store = await openRuledStore(data, settings, { policy, rules: async () => config.current });
  if (onNotice && store.space) watchers.add(watchSpace(store.space, { limit: () => config.current.quota, onNotice }));
  await using _starting = isReadOnly
    ? undefined
    : await acquireLock(join(data, 'images/starting'), callOptions(settings));
  const running = runningRegistry(data, settings);
  if (running) throw alreadyRunning(running);
  let announced: RegistryState | undefined;
  const schedule = () => (isReadOnly ? 'off' : (request.gc ?? config.current.gc ?? 'daily'));
  const scrubSchedule = () => (isReadOnly ? 'off' : (request.scrub ?? config.current.scrub ?? 'weekly'));
  let lastAt = Date.now();
  const onEvent = alsoDebugged('serve', settings, (event: ServerEvent) => {
    if (event.url !== '/healthz') lastAt = Date.now();
    request.onEvent?.(event);
  });
  const server: RunningServer = await serve({
    registry: isReadOnly ? readOnly(store.registry) : store.registry,
    listen,
    names: request.names ?? [],
    health: servingHealth(data, () => announced, { isReadOnly }),
    ...(onEvent && { onEvent }),
    ...callOptions(settings),
  });
  try {
    const { state, withdraw } = announceRegistry(
      { data, addresses: server.addresses, version: request.version, gc: schedule(), scrub: scrubSchedule() },
      settings,
      { isReadOnly },
    );
    announced = state;
    const endWatching = watchers.handOver();
    const records = isReadOnly
      ? undefined
      : keepRecords(store, {
          pulls,
          isThere: () => isAnnounced(state),
          onFailure: (error) => settings.onNote?.(notRecorded(error)),
        });
    const house = keepHouse({
      store,
      isThere: () => isAnnounced(state),
      get gc() {
        return schedule();
      },
      get keep() {
        return config.current.keep;
      },
      get scrub() {
        return scrubSchedule();
      },
      activity: {
        get active() {
          return server.activeRequests;
        },
        get lastAt() {
          return lastAt;
        },
      },
      ...(request.onHousekeeping && { onEvent: request.onHousekeeping }),
    });
    const stopped = server.stopped
      .then(() => house[Symbol.asyncDispose]())
      .then(() => records?.end())
      .then(withdraw)
      .finally(endWatching);
    const stop = async () => {
      await server[Symbol.asyncDispose]();
      await stopped;
    };
    return { state, stopped, [Symbol.asyncDispose]: stop };
  } catch (error) {
    await server[Symbol.asyncDispose]();
    throw error;
  }
}

function notRecorded(error: unknown): string {
  return `Pulls and the space that is used are not recorded: ${error instanceof Error ? error.message : String(error)}`;
}

function lineOf(error: unknown): string {
  if (!isImagesError(error)) return String(error);
  return error.hint === undefined ? error.message : `${error.message}. ${error.hint}`;
}

/** Whether the directory holds a store on a file system that nobody can write to, such as a DVD. */
async function isReadOnlyStore(data: string): Promise<boolean> {
  if (!(await embeddedStoreExists(data))) return false;
  try {
    // Writes nothing: where the registry cannot start, no store is left behind.
    accessSync(data, constants.W_OK);
    return false;
  } catch (error) {
    return isFsError(error, 'EROFS');
  }
}

/** Errors: USAGE (an invalid address). */
export function listenAddresses(listen: readonly string[]): readonly ListenAddress[] {
  return (listen.length > 0 ? listen : [DEFAULT_LISTEN]).map(parseListenAddress);
}

/** Errors: USAGE (not a host name). */
export function checkNames(names: readonly string[] = []): void {
  const wrong = names.find((name) => name.includes(':') || !isHostName(name));
  if (wrong === undefined) return;
  throw new ImagesError('USAGE', `not a name of a host [${wrong}]`, {
    hint: 'Write the name alone, without scheme and port: registry.example.org.',
  });
}

/** Whether a running registry listens on all requested addresses; true if none are requested. */
export function listensOn(state: RegistryState, listen: readonly string[]): boolean {
  return listen
    .map(parseListenAddress)
    .every((wanted) =>
      state.addresses.some(
        ({ host, port }) => (wanted.port === 0 || port === wanted.port) && host === (wanted.host ?? '::'),
      ),
    );
}

export function alreadyRunning(state: RegistryState): ImagesError {
  const where = state.addresses.map(formatListenAddress).join(', ');
  return new ImagesError('ALREADY_RUNNING', `the embedded registry runs already [${where}]`, {
    hint: 'Run `images lreg_stop` first to start it with other settings.',
  });
}
