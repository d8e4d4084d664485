// `lreg_ls`: lists names and tags in the private registry, with stripped or full names.

import { createLimiter } from '../../io/concurrency/limiter.ts';
import { checkArguments } from '../../oci/arguments.ts';
import { isImagesError } from '../../oci/errors.ts';
import { CALL, REGISTRY } from '../arguments.ts';
import { callOptions, type TaskCall } from '../settings.ts';
import type { PrivateRegistry } from './private-registry.ts';

export interface ListedRepository {
  readonly name: string;
  /** In byte order; empty if all images were put by digest. */
  readonly tags: readonly string[];
}

const REQUESTS = 8;

/** Reads all pages; sorted by name. */
export async function listRegistry(
  privateRegistry: PrivateRegistry,
  settings: TaskCall,
): Promise<readonly ListedRepository[]> {
  checkArguments({ privateRegistry: [privateRegistry, REGISTRY], settings: [settings, CALL] });
  const { registry } = privateRegistry;
  const ask = createLimiter(REQUESTS);
  const names = await Array.fromAsync(registry.repositories(undefined, callOptions(settings)));
  const listed = await ask.map(
    [...new Set(names)].sort(byBytes),
    async (name) => {
      const tags = await tagsOf(name);
      return tags && { name, tags: [...tags].sort(byBytes) };
    },
    settings.signal,
  );
  return listed.filter((entry) => entry !== undefined);

  /** Returns `undefined` for a repository without manifests, which docker-registry still lists in its catalogue. */
  async function tagsOf(name: string): Promise<readonly string[] | undefined> {
    try {
      return await Array.fromAsync(registry.tags(name, undefined, callOptions(settings)));
    } catch (error) {
      if (isImagesError(error, 'NAME_UNKNOWN')) return undefined;
      throw error;
    }
  }
}

/** The same with full names, if the hosts are recorded. Other images are listed under their stripped names. */
export async function listFullNames(
  registry: PrivateRegistry,
  settings: TaskCall,
): Promise<readonly ListedRepository[]> {
  checkArguments({ registry: [registry, REGISTRY], settings: [settings, CALL] });
  const tags = new Map<string, Set<string>>();
  const recorded = new Set<string>();
  const add = (name: string, tag: string) => tags.set(name, (tags.get(name) ?? new Set()).add(tag));
  for await (const { host, path, tag } of registry.store?.names.all() ?? []) {
    add(`${host}/${path}`, tag);
    recorded.add(`${path}:${tag}`);
  }
  for (const { name, tags: stripped } of await listRegistry(registry, settings)) {
    if (stripped.length === 0 && !tags.has(name)) tags.set(name, new Set());
    for (const tag of stripped) if (!recorded.has(`${name}:${tag}`)) add(name, tag);
  }
  return [...tags]
    .map(([name, names]) => ({ name, tags: [...names].sort(byBytes) }))
    .sort((a, b) => byBytes(a.name, b.name));
}

/** Names and tags are ASCII, so UTF-16 order is byte order. */
function byBytes(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
