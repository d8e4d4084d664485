// Which configuration file a command obeys.
import type { World } from '../settings.ts';
import { runningRegistry } from './registry-state.ts';

/** The file that --config names; else the one that the running registry was given: what it forbids, no other process on its store allows. */
export function namedConfig(data: string, settings: Pick<World, 'config' | 'uid'>): string | undefined {
  return settings.config ?? runningRegistry(data, settings)?.config;
}
