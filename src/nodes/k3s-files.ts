// Files of k3s and rke2: registries.yaml, of which they make containerd's certs.d when they start.
import { authorities, byName, MADE_BY, type NodeFile, type NodeRequest, urls } from './node-file.ts';

/** Each host by its name as well: versions before January 2024 know no `"*"`. */
export function k3sFiles(request: NodeRequest, product: 'k3s' | 'rke2'): readonly NodeFile[] {
  const { hosts } = request;
  const registry = byName(request.registry);
  const directory = `etc/rancher/${product}`;
  const ca = `${directory}/private-reg.crt`;
  const endpoints = urls(registry).map((url) => `      - "${url}"\n`);
  const mirrors = [...hosts, '*'].map((host) => `  "${host}":\n    endpoint:\n${endpoints.join('')}`);
  const tls = authorities(registry).map((at) => `  "${at}":\n    tls:\n      ca_file: /${ca}\n`);
  const configs = registry.ca === undefined ? '' : `configs:\n${tls.join('')}`;
  return [
    {
      path: `${directory}/registries.yaml`,
      // It may hold passwords of others.
      mode: 0o600,
      content: `# ${MADE_BY}\nmirrors:\n${mirrors.join('')}${configs}`,
      shared: 'registries-yaml',
    },
    ...(registry.ca === undefined ? [] : [{ path: ca, mode: 0o644, content: registry.ca }]),
  ];
}
