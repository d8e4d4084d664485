// Nodes whose /etc/hosts leads the names of public registries here: the name under which they ask says whose images they mean, as `ns` does.
import { canonicalHost } from '../oci/reference.ts';
import type { RegistryRequest } from './request.ts';

/** What reads by a name: others are about content, or write, and writes take names as they are given. */
const READS: readonly RegistryRequest['kind'][] = ['manifest-get', 'blob-get', 'tag-list', 'referrer-list'];

/** `hosts` as references name them; those that the registry has for itself must not be among them. `asked` is the header `Host`. */
export function actingFor(
  request: RegistryRequest,
  asked: string | undefined,
  hosts: readonly string[],
): RegistryRequest {
  if (asked === undefined || !READS.includes(request.kind) || ('host' in request && request.host !== undefined)) {
    return request;
  }
  const host = canonicalHost(asked.replace(/\.?(?::(?:80|443))?$/, ''));
  return hosts.includes(host) ? ({ ...request, host } as RegistryRequest) : request;
}
