// Which repository of which registry a request means.
import { canonicalHost, fullReference, tryParseReference } from '../../oci/reference.ts';
import type { NameRecords } from '../policies/full-names.ts';
import { spellings } from '../policies/name-lookup.ts';
import type { UpstreamName } from './contract.ts';

/**
 * The host that the client says, else the one at the beginning of the name. A bare name means a host only if images of one host alone are here under it: Docker
 * Hub is not assumed, because a registry of one's own has names of its own.
 */
export async function upstreamName(
  repository: string,
  host: string | undefined,
  known: (path: string) => Promise<ReadonlySet<string>>,
): Promise<UpstreamName | undefined> {
  const full = tryParseReference(repository);
  if (host !== undefined && (full?.host === undefined || full.host !== canonicalHost(host))) {
    return nameAt(host, repository);
  }
  if (full?.host !== undefined) return nameAt(full.host, full.path);
  const hosts = await known(repository);
  const [only] = hosts;
  return only !== undefined && hosts.size === 1 ? nameAt(only, repository) : undefined;
}

/** How many records of one path are looked at for a bare name. Of a path with more, no host is meant. */
const MOST_RECORDS = 1000;

/** The hosts of which images are recorded under this path, if there are any under this tag, those; two at most, because then none is meant. */
export async function recordedHosts(
  names: NameRecords,
  path: string,
  tag: string | undefined,
): Promise<ReadonlySet<string>> {
  const hosts = new Set<string>();
  for (const spelling of tag === undefined ? [] : spellings(path)) {
    for (const { host } of await names.hostsOf(spelling, tag ?? '')) hosts.add(host);
  }
  if (hosts.size > 0) return hosts;
  let records = 0;
  for (const spelling of spellings(path)) {
    for await (const { host } of names.ofPath(spelling)) {
      hosts.add(host);
      if (hosts.size > 1) return hosts;
      if (++records > MOST_RECORDS) return new Set();
    }
  }
  return hosts;
}

function nameAt(written: string, path: string): UpstreamName {
  const { host, path: full } = fullReference({ host: canonicalHost(written), path });
  return { host, path: full };
}

export function upstreamText({ host, path }: UpstreamName, what?: string): string {
  return what === undefined ? `${host}/${path}` : `${host}/${path}${what.includes(':') ? '@' : ':'}${what}`;
}
