// Parses what follows the prefix of a transport of files: `PATH[:REST]`, where REST may be `@INDEX`. Pure.
import type { Refuse } from './transport.ts';

/** The path ends at the first colon. */
export function splitPath(details: string, refuse: Refuse): { readonly path: string; readonly rest?: string } {
  const colon = details.indexOf(':');
  const path = colon < 0 ? details : details.slice(0, colon);
  if (path === '') refuse('no path');
  return colon < 0 ? { path } : { path, rest: details.slice(colon + 1) };
}

/** Parses `@0`, `@1` and so on: the index of an image in a list. */
export function parseIndex(rest: string, refuse: Refuse): number {
  const index = Number(rest.slice(1));
  if (!/^@\d+$/.test(rest) || !Number.isSafeInteger(index)) refuse(`[${rest}] is no index in a list`);
  return index;
}
