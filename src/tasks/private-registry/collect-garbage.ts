// `lreg_gc`: frees what nothing in the embedded registry's store names any more. The registry may run.

import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { translatingFsErrors } from '../../io/files/fs-errors.ts';
import { type Lock, lockHolder, tryLock } from '../../io/files/lock.ts';
import { checkArguments, OBJECT } from '../../oci/arguments.ts';
import { ImagesError, isImagesError } from '../../oci/errors.ts';
import type { Collection, CollectionEvent } from '../../storage/collector/run.ts';
import { embeddedStoreExists } from '../../storage/embedded-store.ts';
import { SETTINGS } from '../arguments.ts';
import { callOptions, type Settings, type TaskCall, type World } from '../settings.ts';
import { givingWay, processorTimeOf } from './give-way.ts';
import { locateRegistry, noRegistry, type RegistryLocation } from './locate-registry.ts';
import { namedConfig, withNamedData } from './named-config.ts';
import { openRuledStore } from './open-store.ts';
import { noStore } from './private-registry.ts';
import { readRegistryToml } from './registry-config.ts';
import { runningRegistry } from './registry-state.ts';

export interface CollectRegistryOptions {
  /** Deletes nothing, and says what would go. */
  readonly dryRun?: boolean;
  /** Manifests that lost their last tag stay. */
  readonly keepUntagged?: boolean;
  /** The rules of registry.toml are not applied. */
  readonly noRetention?: boolean;
  /** In milliseconds: manifests that lost their last tag more recently stay. Default: 7 days. */
  readonly olderThanMs?: number;
  readonly onEvent?: (event: CollectionEvent) => void;
}

export interface CollectedRegistry extends Collection {
  /** The data directory. */
  readonly data: string;
}

/**
 * Deletes manifests that lost their last tag, and blobs that nothing names, while others push, pull, copy and build. When the signal ends it, what was deleted
 * until then is gone, and nothing else is lost. Errors: ALREADY_RUNNING (another process collects), UNSUPPORTED (the private registry is not this user's embedded
 * one), NO_REGISTRY, NO_ACCESS, READ_ONLY, NO_SPACE, CONFIG_INVALID.
 */
export async function collectRegistry(options: CollectRegistryOptions, given: Settings): Promise<CollectedRegistry> {
  checkArguments({ options: [options, OBJECT], settings: [given, SETTINGS] });
  const settings = await withNamedData(given);
  const location = await locateRegistry(settings);
  if (!location) throw noRegistry(settings);
  if (location.kind === 'remote') throw notEmbedded(location);
  const { data } = location;
  if (!(await embeddedStoreExists(data))) throw noStore(data);
  const config = await readRegistryToml(data, namedConfig(data, settings));
  const store = await openRuledStore(data, settings, { alone: true, rules: async () => config });
  await using _turn = options.dryRun ? undefined : await collectorTurn(data, settings);
  const { collectStore } = await import('../../storage/collector/collect.ts');
  const fetchedMs = config.proxy?.keep;
  const kept = { rules: config.keep, ...(fetchedMs !== undefined && { fetchedMs }) };
  const retention = options.noRetention ? {} : { retention: kept };
  const call = callOptions(settings);
  const collected = await collectStore(store, { ...options, ...retention, ...call, ...besideRegistry(data, settings) });
  if (config.quota !== undefined && !options.dryRun) await store.space?.recount();
  return { data, ...collected };
}

/** Its requests come first. */
function besideRegistry(
  data: string,
  settings: TaskCall & Pick<World, 'uid'>,
): { readonly pause?: () => Promise<void> } {
  const pid = runningRegistry(data, settings)?.pid;
  if (pid === undefined) return {};
  return { pause: givingWay({ usedMs: () => processorTimeOf(pid), signal: settings.signal }) };
}

const TRIES = 6;
const TRY_MS = 50;

/** Held while a process collects in the data directory. Errors: ALREADY_RUNNING, which says who does; NO_ACCESS, READ_ONLY, NO_SPACE. */
async function collectorTurn(data: string, settings: TaskCall & Pick<World, 'uid'>): Promise<Lock> {
  for (let attempt = 0; attempt < TRIES; attempt++) {
    const lock = await tryCollectorTurn(data);
    if (lock) return lock;
    settings.signal?.throwIfAborted();
    // Two that begin at the same time see each other: one of them is first at the next try.
    await delay(TRY_MS * (0.5 + Math.random()));
  }
  const [pid] = (await lockHolder(lockPath(data)))?.split('.') ?? [];
  const isRegistry = pid !== undefined && runningRegistry(data, settings)?.pid === Number(pid);
  const who = isRegistry ? 'the running registry collects garbage' : 'another process collects garbage';
  throw new ImagesError('ALREADY_RUNNING', `${who} there now${pid === undefined ? '' : `, pid ${pid}`} [${data}]`, {
    hint: 'Wait for its end: both would do the same work. --dry-run can be used meanwhile.',
  });
}

/** Returns `undefined` if another process collects. On a full disk nothing tells others that this one does: they would only repeat its work. */
export async function tryCollectorTurn(data: string): Promise<Lock | undefined> {
  try {
    return await translatingFsErrors(data, () => tryLock(lockPath(data)));
  } catch (error) {
    if (!isImagesError(error, 'NO_SPACE')) throw error;
    return (await isCollecting(data)) ? undefined : { [Symbol.asyncDispose]: async () => {} };
  }
}

/** Whether some process, perhaps this one, collects in the data directory. */
export async function isCollecting(data: string): Promise<boolean> {
  return (await lockHolder(lockPath(data))) !== undefined;
}

function lockPath(data: string): string {
  return join(data, 'images/collecting');
}

function notEmbedded({ address, state }: Extract<RegistryLocation, { kind: 'remote' }>): ImagesError {
  const hint = state
    ? `It is the embedded registry of user ${state.uid}: run \`images lreg_gc --data=${state.data}\` as that user; it also collects by itself.`
    : 'Where it runs, and while nobody pushes: docker-registry with `registry garbage-collect --delete-untagged CONFIG`, others with a command of their own.';
  return new ImagesError('UNSUPPORTED', `only the embedded registry can be collected from here [${address.host}]`, {
    hint,
  });
}
