// docker, k3s and rke2: one file each.
import { isObject, type Json } from '../../oci/decode.ts';
import { registriesIn } from '../shared/registries-config.ts';
import { textList } from './config-values.ts';
import { APPLY, asksOf, itself, type NodeFinding, type RuntimeCheck } from './contract.ts';
import type { NodeFacts } from './probe-answer.ts';

const DOCKER = '/etc/docker/daemon.json';

export function checkDocker({ files, programs, processes, unreadable }: NodeFacts): RuntimeCheck | undefined {
  if (!programs.has('dockerd') && !files.has(DOCKER) && !unreadable.includes(DOCKER)) return undefined;
  const findings: NodeFinding[] = [];
  const config = decoded(DOCKER, files.get(DOCKER), { findings, decode: JSON.parse, hint: '' });
  const command = processes.get('dockerd')?.join(' ') ?? '';
  const [, other] = /--config-file[ =](\S+)/.exec(command) ?? [];
  if (other !== undefined && other !== DOCKER)
    findings.push({ what: `it reads another configuration [${other}]`, mend: 'Write the mirrors there, too.' });
  const mirrors = [...textList(config['registry-mirrors']), ...flags('registry-mirror', command)];
  const insecure = [...textList(config['insecure-registries']), ...flags('insecure-registry', command)];
  const asks = asksOf((host) =>
    host === 'docker.io'
      ? [...mirrors, itself(host)]
      : [...(insecure.includes(host) ? [`http://${host}`] : [itself(host)])],
  );
  const noUrl = mirrors.find((mirror) => !/^https?:\/\/[^/]/.test(mirror) || !URL.canParse(mirror));
  if (noUrl !== undefined)
    findings.push({ what: `docker does not start with a mirror that is no URL [${noUrl}]`, mend: 'http://HOST:PORT' });
  const withPath = mirrors.find((mirror) => URL.canParse(mirror) && !['', '/'].includes(new URL(mirror).pathname));
  if (withPath !== undefined && withPath !== noUrl)
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

/** What dockerd was started with, beside its file. */
function flags(name: string, command: string): readonly string[] {
  return [...command.matchAll(new RegExp(` --${name}[ =](\\S+)`, 'g'))].map(([, value = '']) => value);
}

export function checkK3s(
  { files, programs, unreadable }: NodeFacts,
  product: 'k3s' | 'rke2',
): RuntimeCheck | undefined {
  const path = `/etc/rancher/${product}/registries.yaml`;
  if (!programs.has(product) && !files.has(path) && !unreadable.includes(path)) return undefined;
  const findings: NodeFinding[] = [];
  const config = decoded(path, files.get(path), {
    findings,
    decode: registriesIn,
    hint: ' (a bare * has to be in quotes)',
  });
  const mirrors: Json = isObject(config.mirrors) ? config.mirrors : {};
  const asks = asksOf((host) => {
    const table = mirrors[host] ?? mirrors['*'];
    return [...(isObject(table) ? textList(table.endpoint) : []), itself(host)];
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

interface Decoding {
  readonly findings: NodeFinding[];
  readonly decode: (text: string) => unknown;
  /** What is most often wrong. */
  readonly hint: string;
}

function decoded(path: string, text: string | undefined, { findings, decode, hint }: Decoding): Json {
  try {
    const value = text === undefined ? {} : decode(text);
    if (isObject(value)) return value;
  } catch {
    // Told below.
  }
  findings.push({ what: `${path} cannot be read${hint}`, mend: `Correct it, or remove it. ${APPLY}` });
  return {};
}
