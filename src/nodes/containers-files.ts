// Files of CRI-O, podman, buildah and skopeo (containers-registries.conf(5), version 2). There is no wildcard: each host is written.
import { authorities, byName, MADE_BY, type NodeFile, type NodeRegistry, type NodeRequest } from './node-file.ts';

/** After what distributions bring (`000-shortnames.conf`), before what an administrator may add. */
const DROP_IN = 'etc/containers/registries.conf.d/50-private-reg.conf';
/** What short names mean. */
export const SEARCH_FILE = 'etc/containers/registries.conf.d/51-private-reg-search.conf';
/** Without it podman and CRI-O refuse names without a host. */
export const SEARCH_KEY = 'unqualified-search-registries';

export function containersFiles(given: NodeRequest): readonly NodeFile[] {
  const registry = byName(given.registry);
  const request = { ...given, registry };
  const { hosts } = request;
  const search = `# ${MADE_BY}\n${SEARCH_KEY} = ["docker.io"]\n`;
  return [
    {
      path: DROP_IN,
      mode: 0o644,
      content: `# ${MADE_BY}\n${hosts.map((host) => registryTable(host, request)).join('')}`,
    },
    { path: SEARCH_FILE, mode: 0o644, content: search, shared: 'search-registries' },
    ...certificates('etc/containers/certs.d', authorities(registry), registry),
  ];
}

/** `ca.crt` for each of these names and addresses of the registry, as docker and the containers library look for it. */
export function certificates(directory: string, names: readonly string[], { ca }: NodeRegistry): readonly NodeFile[] {
  if (ca === undefined) return [];
  return names.map((authority) => ({
    path: `${directory}/${authority}/ca.crt`,
    mode: 0o644,
    content: ca,
  }));
}

function registryTable(host: string, { registry, spoof = false, only = false }: NodeRequest): string {
  const insecure = registry.scheme === 'http' ? 'insecure = true\n' : '';
  const at = PATHS[registry.names]
    .flatMap((path) => authorities(registry).map((authority) => `${authority}${path(host)}`))
    .map((location) => `location = "${location}"\n${insecure}`);
  const [first = '', ...others] = only ? at : [`location = "${host}"\n${spoof ? insecure : ''}`, ...at];
  const mirrors = others.map((mirror) => `[[registry.mirror]]\n${mirror}`);
  return `\n[[registry]]\nprefix = "${host}"\n${first}${mirrors.join('')}`;
}

/** What follows the address. These runtimes send no `?ns=HOST`, so only the path can tell hosts apart. */
const PATHS: Readonly<Record<NodeRegistry['names'], readonly ((host: string) => string)[]>> = {
  'with-host': [(host) => `/${host}`],
  stripped: [() => ''],
  either: [(host) => `/${host}`, () => ''],
};
