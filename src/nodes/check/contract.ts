// What a check of a node finds out: of each runtime, what it reads, whom it asks for which host, and what is wrong with that.

/** Hosts by which a check tells what a runtime does; the last one is in no list. */
export const CHECKED_HOSTS: readonly string[] = ['docker.io', 'quay.io', 'registry.k8s.io', 'unlisted.example'];

export interface NodeFinding {
  readonly what: string;
  /** What to do about it. */
  readonly mend: string;
}

export interface RuntimeCheck {
  readonly runtime: 'podman' | 'containerd' | 'docker' | 'k3s' | 'rke2';
  /** As the program says; absent if it was not found on the path. */
  readonly version?: string;
  /** The files that it reads, of those that are there. */
  readonly reads: readonly string[];
  /** By host, the addresses that it asks, in this order. */
  readonly asks: Readonly<Record<string, readonly string[]>>;
  readonly findings: readonly NodeFinding[];
}

export const APPLY = 'images node_config --apply on the node, or the files of images node_config.';

/** `https://quay.io`, and what Docker Hub is behind. */
export function itself(host: string): string {
  return host === 'docker.io' ? 'https://registry-1.docker.io' : `https://${host}`;
}

/** An entry for each host that is checked. */
export function asksOf(ask: (host: string) => readonly string[]): Readonly<Record<string, readonly string[]>> {
  return Object.fromEntries(CHECKED_HOSTS.map((host) => [host, ask(host)]));
}
