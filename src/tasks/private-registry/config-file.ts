// Where the configuration of a registry is (registry-config.ts).
import { join } from 'node:path';

export const CONFIG_NAME = 'registry.toml';

export function configFile(data: string, named?: string): string {
  return named ?? join(data, CONFIG_NAME);
}
