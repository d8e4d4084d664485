// Guards where an answer (redirect, Location, realm) may lead: never to a narrower network than it came from. URLs that the user names are not restricted.
import type { LookupAddress } from 'node:dns';
import type { LookupFunction } from 'node:net';
import { ImagesError } from '../../oci/errors.ts';
import { bareAddress, type Reach, reachMet, reachOf } from './address-reach.ts';
import { type HttpUrl, hostAndPort, type Leader } from './http-url.ts';
import { nodeDns, nodeNet } from './node-http.ts';

/** Whether the user has named this `host[:port]` as part of a private network to which others may lead. Called only if it decides. */
export type NamesHost = (host: string) => Promise<boolean>;

/** Refuses what can be decided without DNS: an IP address, or a name of this machine. Errors: BAD_ANSWER, those of `named`. */
export async function refuseLeading({ host, ledBy }: HttpUrl, named: NamesHost): Promise<void> {
  if (!ledBy) return;
  const { hostname } = hostAndPort(host, false);
  const isAddress = nodeNet().isIP(bareAddress(hostname)) !== 0;
  if (!isAddress && !/(?:^|\.)localhost\.?$/.test(hostname)) return;
  const address = isAddress ? hostname : '127.0.0.1';
  if (!(await leadsTo(ledBy, host, named)(address))) throw refusal(ledBy, host, reachOf(address));
}

/** A name resolution that drops forbidden addresses. The connection uses its result directly, so DNS cannot change its answer after the check. */
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

/** A key for sharing connections: leaders with the same key may lead to the same addresses. */
export function leaderKind(leader: Leader): string {
  const { reach, address } = met(leader);
  return reach === 'link-local' || reach === 'metadata' ? address : (reach ?? 'elsewhere');
}

/** The rule: to this machine only from this machine; to a link-local address only from the same one; to private ones from private ones or from here. */
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

/** Where the leader was reached. Behind a proxy only the host's name is known; if that is a private address, it is in a private network wherever one asks. */
function met({ at, host }: Leader): { readonly reach: Reach | undefined; readonly address: string } {
  if (at !== undefined) return { reach: reachMet(at), address: bareAddress(at) };
  const { hostname } = hostAndPort(host, false);
  const isPrivate = nodeNet().isIP(hostname) !== 0 && reachMet(hostname) === 'private';
  return { reach: isPrivate ? 'private' : undefined, address: '' };
}

const refusals = new WeakSet<object>();

/** Whether an answer, or a stranger's wish, led to a narrower network than it may. */
export function isRefusedLead(error: unknown): boolean {
  return error instanceof Error && (refusals.has(error) || isRefusedLead(error.cause));
}

function refusal(leader: Leader, to: string, reach: Reach | undefined): ImagesError {
  const { hostname } = hostAndPort(to, false);
  const error = new ImagesError('BAD_ANSWER', `${leader.host} leads to a ${reach} address [${hostname}]`, {
    hint: hintFor(reach, to),
  });
  refusals.add(error);
  return error;
}

function hintFor(reach: Reach | undefined, to: string): string {
  if (reach === 'private')
    return `A host elsewhere may not lead into a private network. If this host is meant, name it: [[registry]] location = "${to}" in /etc/containers/registries.conf.`;
  if (reach === 'local-nat64')
    return 'A host elsewhere may not lead behind a translator of this network: what that stands for is not known here.';
  return 'Another host may not lead to this machine or its link. If this host is meant, name it yourself.';
}
