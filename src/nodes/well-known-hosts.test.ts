import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { canonicalHost, isHostName } from '../oci/reference.ts';
import { DOCKER_HUB_ALIASES, WELL_KNOWN_HOSTS } from './well-known-hosts.ts';

it('lists each host once, as references name it', () => {
  expect(new Set(WELL_KNOWN_HOSTS).size).toBe(WELL_KNOWN_HOSTS.length);
  for (const host of WELL_KNOWN_HOSTS)
    expect([host, isHostName(host), canonicalHost(host)]).toEqual([host, true, host]);
});

it('the other names of Docker Hub mean docker.io', () => {
  for (const alias of DOCKER_HUB_ALIASES) expect(canonicalHost(alias)).toBe('docker.io');
});

it('is the list that docs/registries.md shows', () => {
  const page = readFileSync(join(import.meta.dirname, '../../docs/registries.md'), 'utf8');
  const [, listed = ''] = /<!-- well-known-hosts -->\n([\s\S]*?)<!-- \/well-known-hosts -->/.exec(page) ?? [];
  expect(listed.match(/`[^`]+`/g)?.map((host) => host.slice(1, -1))).toEqual(WELL_KNOWN_HOSTS);
});
