// The address of who asks. Behind a proxy on this machine every request comes from this machine, which may do more than others.
import { isIP } from 'node:net';
import { plainAddress } from './address-range.ts';
import type { RequestHead } from './contract.ts';

/** Matches no range. */
const UNKNOWN = 'unknown';

/**
 * Of a request that comes from this machine, the last address in `X-Forwarded-For` counts: the one that the nearest proxy saw. So a proxy on this machine gives
 * nobody the rights of this machine; whoever sends the header from here only loses them. From elsewhere the header is ignored.
 */
export function askerAddress(
  { address, headers }: Pick<RequestHead, 'address' | 'headers'>,
  isLocal: (address: string) => boolean,
): string {
  const forwarded = [headers['x-forwarded-for'] ?? []].flat().join(',');
  if (headers.forwarded !== undefined && forwarded === '' && isLocal(address)) return UNKNOWN;
  if (forwarded === '' || !isLocal(address)) return address;
  const last = plainAddress(
    forwarded
      .slice(forwarded.lastIndexOf(',') + 1)
      .trim()
      .replace(/^\[(.*)\]$/, '$1'),
  );
  return isIP(last) === 0 ? UNKNOWN : last;
}
