// Hosts for which a node takes the registry: `ADDRESS HOST` lines, as /etc/hosts has them.
import { isIP } from 'node:net';
import { ImagesError } from '../oci/errors.ts';
import { isHostName } from '../oci/reference.ts';
import { type NodeRegistry, needsName, REGISTRY_NAME } from './node-file.ts';
import { DOCKER_HUB_ALIASES } from './well-known-hosts.ts';

/** containerd 2.x of xcluster's overlays has it as its one mirror. */
const ALWAYS = 'example.com';

/**
 * The hosts in a text with one or more on a line, and `#` before comments: what `$__dns_spoof` names.
 * Errors: CONFIG_INVALID, with the line.
 */
export function parseHostList(text: string, file: string): readonly string[] {
  const hosts = text.split('\n').flatMap((line, at) =>
    line
      .replace(/#.*/, '')
      .split(/\s+/)
      .filter((word) => word !== '')
      .map((host) => checkedHost(host, `${file}:${at + 1}`)),
  );
  return [...new Set(hosts)];
}

/** It becomes part of paths, and of lines in several formats. Errors: CONFIG_INVALID. */
export function checkedHost(host: string, where: string): string {
  const lower = host.toLowerCase();
  const isSafe = isHostName(lower) && !/^_|\[/.test(lower) && !lower.split('.').includes('');
  if (isSafe && isIP(lower) === 0) return lower;
  throw new ImagesError('CONFIG_INVALID', `not the name of a registry's host [${host.slice(0, 100)}] (${where})`, {
    hint: 'Write names such as quay.io, one on each line.',
  });
}

/** What /etc/hosts gets for hosts for which the node takes the registry. Only addresses can be there, and the node's own name stays its own. */
export function spoofedLines(registry: NodeRegistry, hosts: readonly string[]): string {
  const aliases = hosts.includes('docker.io') ? DOCKER_HUB_ALIASES : [];
  // A port is no part of a name.
  const names = [ALWAYS, ...hosts, ...aliases].map((host) => host.replace(/:\d+$/, ''));
  return hostLines(
    registry,
    [...new Set(names)].filter((name) => !/(?:^|\.)localhost$/.test(name)),
  );
}

/** What /etc/hosts gets where the registry is known by its name. */
export function nameLines(registry: NodeRegistry): string {
  return needsName(registry) ? hostLines(registry, [REGISTRY_NAME]) : '';
}

function hostLines({ addresses }: NodeRegistry, names: readonly string[]): string {
  return addresses
    .filter((address) => isIP(address) !== 0)
    .flatMap((address) => names.map((name) => `${address} ${name}\n`))
    .join('');
}
