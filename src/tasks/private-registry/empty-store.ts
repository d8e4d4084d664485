// A store that was begun for nothing goes again: one that exists counts as the user's private registry.
import { existsSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';

export function storeIsBegun(data: string): boolean {
  return existsSync(ownPart(data));
}

/** Does nothing where the store holds or held anything. The data directory itself may be the user's. */
export function discardEmptyStore(data: string): void {
  try {
    rmdirSync(ownPart(data));
  } catch {
    // Something is in there.
  }
}

function ownPart(data: string): string {
  return join(data, 'images');
}
