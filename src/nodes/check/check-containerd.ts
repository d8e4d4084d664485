// containerd: config.toml, which leads to certs.d, or has mirrors itself (docs/hosts.md and docs/cri/registry.md of containerd).
import { addAll } from '../../oci/add-all.ts';
import { isObject, type Json } from '../../oci/decode.ts';
import { CERTS_D } from '../containerd-files.ts';
import { tomlOf } from './check-containers.ts';
import { APPLY, asksOf, CHECKED_HOSTS, itself, type NodeFinding, type RuntimeCheck } from './contract.ts';
import type { NodeFacts } from './probe-answer.ts';

const CONFIG = '/etc/containerd/config.toml';
const PLUGINS: readonly string[] = ['io.containerd.grpc.v1.cri', 'io.containerd.cri.v1.images'];

export function checkContainerd(facts: NodeFacts): RuntimeCheck | undefined {
  const { files, programs, processes } = facts;
  if (!programs.has('containerd') && !files.has(CONFIG)) return undefined;
  const findings: NodeFinding[] = [];
  const version = programs.get('containerd');
  const isFirst = /\s1\.\d+\.\d+|\sv1\.\d/.test(version ?? '');
  const [, other] = /(?:-c|--config)[ =](\S+)/.exec(processes.get('containerd') ?? '') ?? [];
  if (other !== undefined && other !== CONFIG) {
    findings.push({
      what: `it reads another configuration [${other}]`,
      mend: `Set config_path = "${CERTS_D}" there, too.`,
    });
  }
  const config = files.has(CONFIG) ? tomlOf(CONFIG, files.get(CONFIG) ?? '', findings) : undefined;
  const registry = registryOf(config);
  const path = typeof registry.config_path === 'string' ? registry.config_path : undefined;
  addAll(findings, configFindings(config, registry, { path, isFirst }));
  const isRead = path !== undefined ? path.split(':').includes(CERTS_D) : !config && !isFirst;
  const reads = [
    ...(config ? [CONFIG] : []),
    ...(isRead ? [...files.keys()].filter((name) => name.startsWith(`${CERTS_D}/`)) : []),
  ];
  const asks = asksOf((host) => (isRead ? byCertsD(host, facts, findings) : byMirrors(host, registry)));
  if (isFirst && isRead) {
    const broken = CHECKED_HOSTS.map((host) => hostsFile(host, facts)).find((file) =>
      /^\s*\[host\."[^"]*\[/m.test(files.get(file ?? '') ?? ''),
    );
    if (broken !== undefined) {
      findings.push({
        what: `containerd 1.x ignores ${broken}, because it has an IPv6 address in the name of a table`,
        mend: `Name it in /etc/hosts, and write the name. ${APPLY}`,
      });
    }
  }
  return { runtime: 'containerd', ...(version !== undefined && { version }), reads, asks, findings };
}

function configFindings(
  config: Json | undefined,
  registry: Json,
  { path, isFirst }: { readonly path: string | undefined; readonly isFirst: boolean },
): readonly NodeFinding[] {
  const findings: NodeFinding[] = [];
  const disabled = config?.disabled_plugins;
  if (Array.isArray(disabled) && disabled.some((name) => name === 'cri' || PLUGINS.includes(String(name)))) {
    findings.push({
      what: 'the CRI plugin is off (disabled_plugins): kubelet cannot use it',
      mend: `Take it out of disabled_plugins in ${CONFIG}.`,
    });
  }
  if (config && config.version === undefined) {
    findings.push({
      what: `${CONFIG} is of version 1: tables of later versions are ignored`,
      mend: 'Begin it with version = 2.',
    });
  }
  const mirrors = isObject(registry.mirrors) ? Object.keys(registry.mirrors) : [];
  if (mirrors.length > 0 && path) {
    findings.push({
      what: 'there are mirrors and config_path: the CRI plugin does not start',
      mend: `Take the mirrors out of ${CONFIG}.`,
    });
  } else if (mirrors.length > 0) {
    findings.push({
      what: `it has mirrors in ${CONFIG}, so certs.d is not read`,
      mend: `Take them out, and set config_path = "${CERTS_D}". ${APPLY}`,
    });
  } else if (path?.includes(':')) {
    findings.push({
      what: `config_path names several directories [${path}]: the transfer service of containerd 2.x then reads none (containerd#12415)`,
      mend: `config_path = "${CERTS_D}". ${APPLY}`,
    });
  } else if (path === '' || (path === undefined && (config !== undefined || isFirst))) {
    findings.push({
      what: 'config_path is not set, so certs.d is not read',
      mend: `config_path = "${CERTS_D}". ${APPLY}`,
    });
  } else if (path !== undefined && path !== CERTS_D) {
    findings.push({
      what: `config_path is ${path}, not ${CERTS_D}`,
      mend: 'Put the files of images node_config there.',
    });
  }
  return findings;
}

function registryOf(config: Json | undefined): Json {
  const plugins = isObject(config?.plugins) ? config.plugins : {};
  const tables = PLUGINS.map((name) => plugins[name]).filter(isObject);
  return tables.map(({ registry }) => registry).find(isObject) ?? {};
}

function hostsFile(host: string, { files }: NodeFacts): string | undefined {
  return [host, '_default'].map((name) => `${CERTS_D}/${name}/hosts.toml`).find((path) => files.has(path));
}

function byCertsD(host: string, facts: NodeFacts, findings: NodeFinding[]): readonly string[] {
  const path = hostsFile(host, facts);
  if (path === undefined) return [itself(host)];
  const value = tomlOf(path, facts.files.get(path) ?? '', findings);
  const hosts = isObject(value.host) ? Object.keys(value.host) : [];
  const server = typeof value.server === 'string' ? value.server : itself(host);
  return [...new Set([...hosts, server])];
}

function byMirrors(host: string, { mirrors }: Json): readonly string[] {
  const table = isObject(mirrors) ? (mirrors[host] ?? mirrors['*']) : undefined;
  const endpoints = isObject(table) && Array.isArray(table.endpoint) ? table.endpoint.map(String) : [];
  return [...endpoints, itself(host)];
}
