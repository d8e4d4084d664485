// The interfaces of this machine with their addresses, also those of bridges of which no VM runs yet.
import { readFileSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import type { Interfaces } from '../../nodes/addresses.ts';
import { withQuietInterfaces } from '../../nodes/quiet-interfaces.ts';

export function ownInterfaces(): Interfaces {
  return withQuietInterfaces(networkInterfaces(), {
    trie: tableOf('fib_trie'),
    routes: tableOf('route'),
    inet6: tableOf('if_inet6'),
  });
}

function tableOf(name: string): string {
  try {
    return readFileSync(`/proc/net/${name}`, 'latin1');
  } catch {
    return '';
  }
}
