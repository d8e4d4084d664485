// What nodes are told: which registry there is, and the files by which the runtimes of a node learn of it.

/** The private registry, as nodes see it. */
export interface NodeRegistry {
  /** IP addresses or names without brackets, best first: IPv4 and IPv6 of one registry. At least one. */
  readonly addresses: readonly string[];
  readonly port: number;
  readonly scheme: 'http' | 'https';
  /** PEM: the CA of its certificate, if nodes do not know it by themselves. */
  readonly ca?: string;
  /** Under which names it finds an image of quay.io: the embedded registry under `quay.io/team/app`, others under `team/app` alone; `either` if it is not known which it is. */
  readonly names: 'with-host' | 'stripped' | 'either';
}

/** Whose configuration is written. `crio` is podman's and skopeo's as well. `kind` is the configuration of a cluster, not of a node. */
export type NodeRuntime = 'crio' | 'containerd' | 'docker' | 'k3s' | 'rke2' | 'kind';

/** How a file goes together with what others have written to it (nodes/shared/). */
export type SharedKind = 'hosts' | 'containerd-config' | 'docker-config' | 'registries-yaml' | 'search-registries';

export interface NodeFile {
  /** Below the node's root, without a leading slash. */
  readonly path: string;
  /** Permissions, such as 0o644. */
  readonly mode: number;
  readonly content: string;
  /** Others may have written to the file, too. Without it, the file is ours alone. */
  readonly shared?: SharedKind;
}

export interface NodeRequest {
  readonly registry: NodeRegistry;
  /** Hosts whose images the registry has, as references name them. */
  readonly hosts: readonly string[];
  readonly runtimes: readonly NodeRuntime[];
  /** The node takes the registry for these hosts, by /etc/hosts: what knows no mirrors (docker, for all but docker.io) finds it, too. */
  readonly spoof?: boolean;
  /** The hosts themselves are never asked. Default: they are, for what the registry lacks. */
  readonly only?: boolean;
}

/** A directory for what the boot script puts to where it belongs. */
export const STAGE = 'etc/private-reg';

/** `192.168.0.250:80`, `[fd00::1]:80`: as URLs have it. */
export function authorityOf(address: string, port: number): string {
  return `${address.includes(':') ? `[${address}]` : address}:${port}`;
}

/** Of each address, `HOST:PORT`. */
export function authorities({ addresses, port }: NodeRegistry): readonly string[] {
  return addresses.map((address) => authorityOf(address, port));
}

/** Of each address, `http://HOST:PORT`. */
export function urls(registry: NodeRegistry): readonly string[] {
  return authorities(registry).map((authority) => `${registry.scheme}://${authority}`);
}

/** What /etc/hosts calls the registry, where an address cannot be written. */
export const REGISTRY_NAME = 'private-reg';

/**
 * Runtimes cannot read an IPv6 address everywhere. containerd 1.x ignores a hosts.toml with one in a table's name as a whole, also its IPv4 addresses, and 2.x reads
 * no other form; in registries.conf podman and skopeo take it for a reference that is invalid, and pull nothing.
 */
export function needsName({ addresses }: NodeRegistry): boolean {
  return addresses.some((address) => address.includes(':'));
}

/** The registry by its name, which has all of its addresses. */
export function byName(registry: NodeRegistry): NodeRegistry {
  return needsName(registry) ? { ...registry, addresses: [REGISTRY_NAME] } : registry;
}

/** The first line of each file that is ours alone, as a comment. */
export const MADE_BY = 'Made by `images node_config`: the private registry has the images of these hosts.';
