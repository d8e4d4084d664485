// All runtimes of a node, and whether each asks the private registry first.
import { authorities, type NodeRegistry, REGISTRY_NAME } from '../node-file.ts';
import { checkContainerd } from './check-containerd.ts';
import { checkContainers } from './check-containers.ts';
import { checkDocker, checkK3s } from './check-others.ts';
import { APPLY, type NodeFinding, type RuntimeCheck } from './contract.ts';
import type { NodeFacts } from './probe-answer.ts';

/** Without `registry`, it is not told whether it is the one that is asked. */
export function checkNode(facts: NodeFacts, registry?: NodeRegistry): readonly RuntimeCheck[] {
  const checks = [
    checkContainers(facts),
    checkContainerd(facts),
    checkDocker(facts),
    checkK3s(facts, 'k3s'),
    checkK3s(facts, 'rke2'),
  ].filter((check) => check !== undefined);
  return checks.map((check) => {
    const hidden = facts.unreadable.filter((path) => mayConcern(path, DIRECTORIES[check.runtime]));
    if (hidden.length > 0) return untold(check, hidden);
    if (!registry) return check;
    return { ...check, findings: [...check.findings, ...elsewhere(check, facts, registry)] };
  });
}

const DIRECTORIES: Readonly<Record<RuntimeCheck['runtime'], string>> = {
  podman: '/etc/containers/',
  containerd: '/etc/containerd/',
  docker: '/etc/docker/',
  k3s: '/etc/rancher/k3s/',
  rke2: '/etc/rancher/rke2/',
};

/** In its directory, or a directory above. */
function mayConcern(path: string, directory: string): boolean {
  return path.startsWith(directory) || (path.endsWith('/') && directory.startsWith(path));
}

/** What it does depends on what could not be read: everything else that was found may be wrong. */
function untold(check: RuntimeCheck, hidden: readonly string[]): RuntimeCheck {
  const names =
    hidden.length > 3 ? `${hidden.slice(0, 3).join(', ')} and ${hidden.length - 3} more` : hidden.join(', ');
  const finding = {
    what: `what it does cannot be told: ${names} cannot be read, or is too large`,
    mend: "As root it can: sudo, or --exec='ssh vm1 sudo'.",
  };
  return { ...check, asks: {}, findings: [finding] };
}

function elsewhere(check: RuntimeCheck, facts: NodeFacts, registry: NodeRegistry): readonly NodeFinding[] {
  const isOurs = (url: string | undefined) => url !== undefined && leadsTo(url, facts, registry);
  const hosts = Object.entries(check.asks).flatMap(([host, urls]) => (isOurs(urls[0]) ? [] : [host]));
  if (hosts.length === 0) return [];
  const isRest = check.runtime === 'docker' && !hosts.includes('docker.io');
  // podman knows no wildcard: of hosts that are in no list nothing can be said.
  const told =
    check.runtime === 'podman' || check.runtime === 'docker'
      ? hosts.filter((host) => host !== 'unlisted.example')
      : hosts;
  if (told.length === 0) return [];
  return [
    {
      what: `it does not ask the private registry first for ${told.join(', ')}`,
      mend: isRest ? `docker knows mirrors for docker.io alone: --spoof. ${APPLY}` : APPLY,
    },
  ];
}

/** By its address, or by a name that /etc/hosts has for it. */
function leadsTo(url: string, { files }: NodeFacts, registry: NodeRegistry): boolean {
  if (!URL.canParse(url)) return false;
  const { hostname, port, protocol } = new URL(url);
  const host = hostname.replace(/^\[(.*)\]$/, '$1');
  const asked = Number(port || (protocol === 'https:' ? 443 : 80));
  if (authorities(registry).some((authority) => `${hostname}:${asked}` === authority)) return true;
  const line = (files.get('/etc/hosts') ?? '')
    .split('\n')
    .map((text) => text.replace(/#.*/, '').trim().split(/\s+/))
    .find(([, ...names]) => names.includes(host));
  const isThere = line !== undefined && registry.addresses.includes(line[0] ?? '');
  return isThere && (host === REGISTRY_NAME ? asked === registry.port : true);
}
