// Files of docker (dockerd's daemon.json). It knows mirrors for docker.io alone; other hosts lead to the registry by /etc/hosts, on ports 80 and 443.
import { certificates } from './containers-files.ts';
import { authorities, type NodeFile, type NodeRegistry, type NodeRequest, urls } from './node-file.ts';

/** What docker is told; other keys of the file are not ours. */
export interface DockerConfig {
  readonly 'registry-mirrors': readonly string[];
  readonly 'insecure-registries'?: readonly string[];
}

export function dockerConfig({ registry, hosts, spoof = false }: NodeRequest): DockerConfig {
  const insecure = [...authorities(registry), ...(spoof ? hosts : [])];
  const mirrors = hosts.includes('docker.io') ? mirrorsOf(registry, spoof) : [];
  return { 'registry-mirrors': mirrors, ...(registry.scheme === 'http' && { 'insecure-registries': insecure }) };
}

export function dockerFiles(request: NodeRequest): readonly NodeFile[] {
  const { registry, hosts, spoof = false } = request;
  const content = `${JSON.stringify(dockerConfig(request), undefined, 2)}\n`;
  return [
    { path: 'etc/docker/daemon.json', mode: 0o644, content, shared: 'docker-config' },
    ...certificates('etc/docker/certs.d', [...authorities(registry), ...(spoof ? hosts : [])], registry),
  ];
}

/** docker does not tell a mirror which host it means, except by asking under its name. */
function mirrorsOf(registry: NodeRegistry, spoof: boolean): readonly string[] {
  const isReached = registry.port === (registry.scheme === 'https' ? 443 : 80);
  return spoof && isReached ? [`${registry.scheme}://docker.io`] : urls(registry);
}
