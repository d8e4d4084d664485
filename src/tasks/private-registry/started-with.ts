// Whether a registry that runs was started as somebody wants it now. An option that was not obeyed must not look as if it were.
import { createHash } from 'node:crypto';
import { type ServingOptions, servingArguments } from './serving-options.ts';

/** The same text for the same options, in whatever order; `undefined` without any. Addresses to listen on are compared elsewhere. */
export function startedWith({ listen: _, ...options }: ServingOptions): string | undefined {
  const said = [...new Set(servingArguments(options))].sort();
  if (said.length === 0) return undefined;
  return createHash('sha256').update(JSON.stringify(said)).digest('hex').slice(0, 16);
}
