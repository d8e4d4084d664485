// Where an answer may lead (redirects, Locations, realms): to no narrower network than the one it came from. What a user names may be anywhere.
import type { LookupAddress } from 'node:dns';
import type { LookupFunction } from 'node:net';
import { ImagesError } from '../../oci/errors.ts';
import { bareAddress, type Reach, reachMet, reachOf } from './address-reach.ts';
import { type HttpUrl, hostAndPort, type Leader } from './http-url.ts';
import { nodeDns, nodeNet } from './node-http.ts';

/** Whether the user has named this `host[:port]` as one of a private network to which others may lead. Asked only where that decides. */
export type NamesHost = (host: string) => Promise<boolean>;

/** Refuses what can be told from the address itself: an IP address, or a name of this machine. Errors: BAD_ANSWER, those of `named`. */
export async function refuseLeading({ host, ledBy }: HttpUrl, named: NamesHost): Promise<void> {
  if (!ledBy) return;
  const { hostname } = hostAndPort(host, false);
  const isAddress = nodeNet().isIP(bareAddress(hostname)) !== 0;
  if (!isAddress && !/(?:^|\.)localhost\.?$/.test(hostname)) return;
  const address = isAddress ? hostname : '127.0.0.1';
  if (!(await leadsTo(ledBy, host, named)(address))) throw refusal(ledBy, host, reachOf(address));
}

/** Resolves names as always, and leaves out where the leader may not lead: asked for when a connection is made, so that no second answer of DNS slips in. */
export function lookupLedBy(ledBy: Leader, host: string, named: NamesHost): LookupFunction {
  const may = leadsTo(ledBy, host, named);
  return (hostname, options, callback) => {
    const allowed = async (found: readonly LookupAddress[]): Promise<LookupAddress[]> => {
      const judged = await Promise.all(found.map(async (each) => ((await may(each.address)) ? [each] : [])));
      if (judged.some((each) => each.length > 0)) return judged.flat();
      throw refusal(ledBy, host, reachOf(found[0]?.address ?? ''));
    };
    nodeDns().lookup(hostname, { ...options, all: true }, (error, found) => {
      if (error) return callback(error, '');
      allowed(found).then(
        (left) => {
          if (options.all) callback(null, left);
          else callback(null, left[0]?.address ?? '', left[0]?.family);
        },
        (refused) => callback(refused, ''),
      );
    });
  };
}

/** What connections may be shared by: those that may lead to the same addresses. */
export function leaderKind(leader: Leader): string {
  const { reach, address } = met(leader);
  return reach === 'link-local' || reach === 'metadata' ? address : (reach ?? 'elsewhere');
}

/** To this machine from this machine only, to a link-local address from the same one; to private ones from private ones, and from here. */
function leadsTo(leader: Leader, host: string, named: NamesHost): (address: string) => Promise<boolean> {
  const from = met(leader);
  return async (address) => {
    const reach = reachOf(address);
    if (reach === undefined) return true;
    if (reach === 'loopback') return from.reach === 'loopback';
    if (reach === 'link-local' || reach === 'metadata') {
      return from.reach === reach && from.address === bareAddress(address);
    }
    if (from.reach === reach || from.reach === 'private' || isOfHere(from.reach)) return true;
    return reach === 'private' && (await named(host));
  };
}

function isOfHere(reach: Reach | undefined): boolean {
  return reach === 'loopback' || reach === 'link-local';
}

/** Behind a proxy nobody knows where a name was met; an address of a private network is in one, whoever asks there. */
function met({ at, host }: Leader): { readonly reach: Reach | undefined; readonly address: string } {
  if (at !== undefined) return { reach: reachMet(at), address: bareAddress(at) };
  const { hostname } = hostAndPort(host, false);
  const isPrivate = nodeNet().isIP(hostname) !== 0 && reachMet(hostname) === 'private';
  return { reach: isPrivate ? 'private' : undefined, address: '' };
}

function refusal(leader: Leader, to: string, reach: Reach | undefined): ImagesError {
  const { hostname } = hostAndPort(to, false);
  return new ImagesError('BAD_ANSWER', `${leader.host} leads to a ${reach} address [${hostname}]`, {
    hint: hintFor(reach, to),
  });
}

function hintFor(reach: Reach | undefined, to: string): string {
  if (reach === 'private')
    return `A host elsewhere may not lead into a private network. If the place is meant, name it: [[registry]] location = "${to}" in /etc/containers/registries.conf.`;
  if (reach === 'local-nat64')
    return 'A host elsewhere may not lead behind a translator of this network: what that stands for is not known here.';
  return 'Another host may not lead to this machine or its link. If the place is meant, name it yourself.';
}
