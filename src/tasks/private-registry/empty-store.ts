// Removes a store that was created and then not used: an existing store counts as the user's private registry.
import { existsSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';

export function storeIsBegun(data: string): boolean {
  return existsSync(ownPart(data));
}

/** Does nothing if the store has or had content. The data directory itself is kept, it may be the user's. */
export function discardEmptyStore(data: string): void {
  try {
    rmdirSync(ownPart(data));
  } catch {
    // The directory is not empty.
  }
}

function ownPart(data: string): string {
  return join(data, 'images');
}
