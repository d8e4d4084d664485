// Hosts for which a node takes the registry: `ADDRESS HOST` lines, as /etc/hosts has them.
import { isIP } from 'node:net';
import { ImagesError } from '../oci/errors.ts';
import { isHostName } from '../oci/reference.ts';
import type { NodeFile, NodeRegistry } from './node-file.ts';
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
  const isSafe = isHostName(lower) && !lower.includes('[') && !lower.split('.').includes('');
  if (isSafe && isIP(lower) === 0) return lower;
  throw new ImagesError('CONFIG_INVALID', `not the name of a registry's host [${host.slice(0, 100)}] (${where})`, {
    hint: 'Write names such as quay.io, one on each line.',
  });
}

/** `etc/spoofed-hosts`. Only addresses can be there. */
export function spoofedHosts(registry: NodeRegistry, hosts: readonly string[]): NodeFile {
  const aliases = hosts.includes('docker.io') ? DOCKER_HUB_ALIASES : [];
  // A port is no part of a name.
  const names = [...new Set([ALWAYS, ...hosts, ...aliases].map((host) => host.replace(/:\d+$/, '')))];
  const lines = registry.addresses
    .filter((address) => isIP(address) !== 0)
    .flatMap((address) => names.map((name) => `${address} ${name}\n`));
  return { path: 'etc/spoofed-hosts', mode: 0o644, content: lines.join('') };
}
