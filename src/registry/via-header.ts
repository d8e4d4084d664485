// What a registry says to another that it asks for a client: which request it is for, and the ids of all registries that the request came through, by which a loop
// is seen. `Via` itself says that a proxy stands before the registry, which changes who is believed to ask (access/asker-address.ts).
import type { ReadOptions } from './contract.ts';

export const VIA_HEADER = 'images-via';

/** As many as anybody has one behind the other, and more. */
const MOST = 16;

/** The header by which programs that pass a request on name it. */
export const REQUEST_ID_HEADER = 'x-request-id';

/** For whom another registry is asked. */
export type OnBehalf = Pick<ReadOptions, 'via' | 'requestId'>;

export function behalfHeaders({ via, requestId }: OnBehalf): Readonly<Record<string, string>> {
  return {
    ...(via?.length && { [VIA_HEADER]: via.join(', ') }),
    ...(requestId !== undefined && { [REQUEST_ID_HEADER]: requestId }),
  };
}

/** Of the options for reading, those that the other registry is told. */
export function behalfOf({ via, requestId }: OnBehalf): OnBehalf {
  return { ...(via && { via }), ...(requestId !== undefined && { requestId }) };
}

/** With the id of one more registry. */
export function throughMe({ via = [], requestId }: OnBehalf, id: string): OnBehalf & Required<Pick<OnBehalf, 'via'>> {
  return { via: [...via, id], ...(requestId !== undefined && { requestId }) };
}

/** The ids in a header, in the order in which they were added. */
export function viaOf(header: string | readonly string[] | undefined): readonly string[] {
  const text = typeof header === 'string' ? header : (header?.join(',') ?? '');
  return text
    .slice(0, 4096)
    .split(',')
    .map((id) => id.trim())
    .filter((id) => /^[\w-]{1,64}$/.test(id));
}

/** Whether the request came from this very registry, or through more than anybody has. */
export function isLoop(via: readonly string[], id: string): boolean {
  return via.includes(id) || via.length > MOST;
}
