// Files of containerd: certs.d (docs/hosts.md of containerd, since 1.5; `_default` since 1.6), and config.toml, which leads there.
import { authorityOf, byName, MADE_BY, type NodeFile, type NodeRequest, urls } from './node-file.ts';

export const CERTS_D = '/etc/containerd/certs.d';
const CA = `${CERTS_D}/private-reg.crt`;
/** Without it a registry that is off costs 30 s for each blob (containerd#4861). Known since 2.1; earlier ones ignore it. */
const DIAL_TIMEOUT = '2s';

/** Where `config_path` stands: in version 2 of the configuration (containerd 1.5 to 2.x), and in version 3 (2.x). */
export const CONFIG_TABLES: Readonly<Record<2 | 3, string>> = {
  2: 'plugins."io.containerd.grpc.v1.cri".registry',
  3: 'plugins."io.containerd.cri.v1.images".registry',
};
/** What `ctr` and other clients without certs.d of their own use, since 1.7. */
export const TRANSFER_TABLE = 'plugins."io.containerd.transfer.v1.local"';

/** Version 2 is read by all: 2.x makes version 3 of it. One directory alone: of two, the transfer service reads none (containerd#12415). */
export const CONTAINERD_CONFIG = `# ${MADE_BY}
version = 2

[${CONFIG_TABLES[2]}]
  config_path = "${CERTS_D}"

[${TRANSFER_TABLE}]
  config_path = "${CERTS_D}"
`;

export function containerdFiles(request: NodeRequest): readonly NodeFile[] {
  return [
    ...certsD({ ...request, registry: byName(request.registry) }),
    { path: 'etc/containerd/config.toml', mode: 0o644, content: CONTAINERD_CONFIG, shared: 'containerd-config' },
  ];
}

/** What is below certs.d. containerd sends `?ns=HOST`, so the registry can tell hosts apart. */
export function certsD(request: NodeRequest): readonly NodeFile[] {
  const { registry } = request;
  const directory = CERTS_D.slice(1);
  // `_default` is for all other hosts.
  const files = [...request.hosts, '_default'].map((host) => ({
    path: `${directory}/${host}/hosts.toml`,
    mode: 0o644,
    content: hostsToml(urls(registry), request),
  }));
  const own = registry.addresses.map((address) => {
    const authority = authorityOf(address, registry.port);
    return {
      path: `${directory}/${authority}/hosts.toml`,
      mode: 0o644,
      content: hostsToml([`${registry.scheme}://${authority}`], { ...request, only: true }),
    };
  });
  const ca = registry.ca === undefined ? [] : [{ path: CA.slice(1), mode: 0o644, content: registry.ca }];
  return [...files, ...own, ...ca];
}

function hostsToml(at: readonly string[], { registry, only = false }: NodeRequest): string {
  const server = only ? `server = "${at[0]}"\n` : '';
  const ca = registry.ca === undefined ? '' : `  ca = "${CA}"\n`;
  const tables = at.map(
    (url) => `
[host."${url}"]
  capabilities = ["pull", "resolve"]
  dial_timeout = "${DIAL_TIMEOUT}"
${ca}`,
  );
  return `# ${MADE_BY}\n${server}${tables.join('')}`;
}
