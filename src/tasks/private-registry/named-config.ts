// Which configuration file a command obeys.
import { dirname } from 'node:path';
import type { World } from '../settings.ts';
import { runningRegistry } from './registry-state.ts';

/** The file that --config names; else the one that the running registry was given: what it forbids, no other process on its store allows. */
export function namedConfig(data: string, settings: Pick<World, 'config' | 'uid'>): string | undefined {
  return settings.config ?? runningRegistry(data, settings)?.config;
}

/**
 * The settings, with the data directory that the file says which --config names; --data comes before it. Errors: CONFIG_INVALID, FILE_UNREADABLE.
 */
export async function withNamedData<T extends Pick<World, 'config' | 'data'>>(settings: T): Promise<T> {
  const { config, data } = settings;
  if (config === undefined || data !== undefined) return settings;
  const { readRegistryToml } = await import('./registry-config.ts');
  const named = (await readRegistryToml(dirname(config), config)).data;
  return named === undefined ? settings : { ...settings, data: named };
}
