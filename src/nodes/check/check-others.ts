// docker, k3s and rke2: one file each.
import { isObject, type Json } from '../../oci/decode.ts';
import { registriesIn } from '../shared/registries-config.ts';
import { APPLY, asksOf, itself, type NodeFinding, type RuntimeCheck } from './contract.ts';
import type { NodeFacts } from './probe-answer.ts';

const DOCKER = '/etc/docker/daemon.json';

export function checkDocker({ files, programs, processes }: NodeFacts): RuntimeCheck | undefined {
  if (!programs.has('dockerd') && !files.has(DOCKER)) return undefined;
  const findings: NodeFinding[] = [];
  const config = decoded(DOCKER, files.get(DOCKER), findings, JSON.parse);
  const [, other] = /--config-file[ =](\S+)/.exec(processes.get('dockerd') ?? '') ?? [];
  if (other !== undefined && other !== DOCKER)
    findings.push({ what: `it reads another configuration [${other}]`, mend: 'Write the mirrors there, too.' });
  const mirrors = texts(config['registry-mirrors']);
  const insecure = texts(config['insecure-registries']);
  const asks = asksOf((host) =>
    host === 'docker.io'
      ? [...mirrors, itself(host)]
      : [...(insecure.includes(host) ? [`http://${host}`] : [itself(host)])],
  );
  const withPath = mirrors.find((mirror) => URL.canParse(mirror) && new URL(mirror).pathname !== '/');
  if (withPath !== undefined)
    findings.push({
      what: `docker does not start with a mirror that has a path [${withPath}]`,
      mend: 'Write the address alone.',
    });
  const version = programs.get('dockerd');
  return {
    runtime: 'docker',
    ...(version !== undefined && { version }),
    reads: files.has(DOCKER) ? [DOCKER] : [],
    asks,
    findings,
  };
}

export function checkK3s({ files, programs }: NodeFacts, product: 'k3s' | 'rke2'): RuntimeCheck | undefined {
  const path = `/etc/rancher/${product}/registries.yaml`;
  if (!programs.has(product) && !files.has(path)) return undefined;
  const findings: NodeFinding[] = [];
  const config = decoded(path, files.get(path), findings, registriesIn);
  const mirrors: Json = isObject(config.mirrors) ? config.mirrors : {};
  const asks = asksOf((host) => {
    const table = mirrors[host] ?? mirrors['*'];
    return [...(isObject(table) ? texts(table.endpoint) : []), itself(host)];
  });
  const version = programs.get(product);
  return {
    runtime: product,
    ...(version !== undefined && { version }),
    reads: files.has(path) ? [path] : [],
    asks,
    findings,
  };
}

function decoded(
  path: string,
  text: string | undefined,
  findings: NodeFinding[],
  decode: (text: string) => unknown,
): Json {
  try {
    const value = text === undefined ? {} : decode(text);
    if (isObject(value)) return value;
  } catch {
    // Told below.
  }
  findings.push({
    what: `${path} cannot be read (a bare * has to be in quotes)`,
    mend: `Correct it, or remove it. ${APPLY}`,
  });
  return {};
}

function texts(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.map(String) : [];
}
