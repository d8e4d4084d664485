// Removes a store that was created and then not used: an existing store counts as the user's private registry.
import { existsSync, readdirSync, rmdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';

export function storeIsBegun(data: string): boolean {
  return existsSync(ownPart(data));
}

/** What a start makes before it listens: nobody has used it if the store has nothing else. */
const MADE_FIRST = ['access/key', 'access/local', 'tls/ca.crt', 'tls/ca.key', 'tls/default.pem'];
const ITS_FOLDERS = ['access', 'tls/names', 'tls'];

/** Does nothing if the store has or had content. The data directory itself is kept, it may be the user's. */
export function discardEmptyStore(data: string): void {
  const own = ownPart(data);
  try {
    const there = readdirSync(own, { recursive: true, encoding: 'utf8' });
    if (!there.every((name) => MADE_FIRST.includes(name) || ITS_FOLDERS.includes(name))) return;
    for (const name of MADE_FIRST) rmSync(join(own, name), { force: true });
    for (const name of ITS_FOLDERS) if (there.includes(name)) rmdirSync(join(own, name));
    rmdirSync(own);
  } catch {
    // It is not there, or somebody puts something into it just now.
  }
}

function ownPart(data: string): string {
  return join(data, 'images');
}
