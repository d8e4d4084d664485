// podman, CRI-O, skopeo: registries.conf and its drop-ins (containers-registries.conf(5)).
import { parse } from 'smol-toml';
import { isObject, type Json } from '../../oci/decode.ts';
import { SEARCH_KEY } from '../containers-files.ts';
import { APPLY, asksOf, itself, type NodeFinding, type RuntimeCheck } from './contract.ts';
import type { NodeFacts } from './probe-answer.ts';

const MAIN = '/etc/containers/registries.conf';
const DROP_INS = '/etc/containers/registries.conf.d/';
const POLICY = '/etc/containers/policy.json';

export function checkContainers({ files, programs }: NodeFacts): RuntimeCheck | undefined {
  const program = ['crio', 'podman', 'skopeo'].find((name) => programs.has(name));
  const reads = [...files.keys()].filter((path) => path === MAIN || path.startsWith(DROP_INS));
  if (program === undefined && reads.length === 0) return undefined;
  const findings: NodeFinding[] = [];
  const tables = new Map<string, Json>();
  let search: unknown;
  for (const path of reads) {
    const value = tomlOf(path, files.get(path) ?? '', findings);
    search = value[SEARCH_KEY] ?? search;
    if (isObject(value.registries)) {
      findings.push({
        what: `${path} is of version 1: with drop-ins of version 2, every pull fails`,
        mend: 'Remove it, or write it anew.',
      });
    }
    for (const table of listOf(value.registry)) tables.set(String(table.prefix ?? table.location ?? ''), table);
  }
  const asks = asksOf((host) => endpointsOf(host, tables));
  for (const table of tables.values()) {
    const locations = [table, ...listOf(table.mirror)].map(({ location }) => String(location ?? ''));
    const v6 = locations.find((location) => location.startsWith('['));
    if (v6 === undefined) continue;
    findings.push({
      what: `an IPv6 address [${v6}] is taken for an invalid reference: every pull under this prefix fails`,
      mend: `Name it in /etc/hosts, and write the name. ${APPLY}`,
    });
    break;
  }
  if (!Array.isArray(search) || search.length === 0) {
    findings.push({
      what: 'names without a host are refused',
      mend: `${SEARCH_KEY} = ["docker.io"] in ${DROP_INS}. ${APPLY}`,
    });
  }
  if (program !== undefined && !files.has(POLICY)) {
    findings.push({
      what: `${POLICY} is missing: every pull fails`,
      mend: 'Write {"default":[{"type":"insecureAcceptAnything"}]} there.',
    });
  }
  const version = program === undefined ? undefined : programs.get(program);
  return { runtime: 'podman', ...(version !== undefined && { version }), reads, asks, findings };
}

/** The longest prefix counts; `*.example.com` stands for hosts below. */
function endpointsOf(host: string, tables: ReadonlyMap<string, Json>): readonly string[] {
  const fits = (prefix: string) => prefix === host || (prefix.startsWith('*.') && host.endsWith(prefix.slice(1)));
  const table = [...tables].find(([prefix]) => fits(prefix))?.[1];
  if (!table) return [itself(host)];
  if (table.blocked === true) return [];
  const own = String(table.location ?? host);
  const last = own === host ? itself(host) : urlOf(own, table);
  return [...listOf(table.mirror).map((mirror) => urlOf(String(mirror.location ?? ''), mirror)), last];
}

function urlOf(location: string, { insecure }: Json): string {
  return `${insecure === true ? 'http' : 'https'}://${location}`;
}

function listOf(value: unknown): readonly Json[] {
  return Array.isArray(value) ? value.filter(isObject) : [];
}

/** Empty with a finding if it cannot be read: the runtimes fail then. */
export function tomlOf(path: string, text: string, findings: NodeFinding[]): Json {
  try {
    return parse(text);
  } catch {
    findings.push({ what: `${path} is not TOML`, mend: 'Correct the file, or remove it.' });
    return {};
  }
}
