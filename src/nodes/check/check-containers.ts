// podman, CRI-O, skopeo: registries.conf and its drop-ins (containers-registries.conf(5)).
import { addAll } from '../../oci/add-all.ts';
import { isObject, type Json } from '../../oci/decode.ts';
import { SEARCH_KEY } from '../containers-files.ts';
import { tableList, textList, tomlOf } from './config-values.ts';
import { APPLY, asksOf, itself, type NodeFinding, type RuntimeCheck } from './contract.ts';
import type { NodeFacts } from './probe-answer.ts';

const MAIN = '/etc/containers/registries.conf';
const DROP_INS = '/etc/containers/registries.conf.d/';
const POLICY = '/etc/containers/policy.json';
const ALL_FAIL = 'every pull fails';

export function checkContainers(facts: NodeFacts): RuntimeCheck | undefined {
  const { files, programs } = facts;
  const program = ['crio', 'podman', 'skopeo'].find((name) => programs.has(name));
  const reads = [...files.keys()].filter((path) => path === MAIN || path.startsWith(DROP_INS));
  if (program === undefined && reads.length === 0) return undefined;
  const findings: NodeFinding[] = [];
  const tables = new Map<string, Json>();
  let search: unknown;
  let mode: unknown;
  for (const path of reads) {
    const value = tomlOf(path, files.get(path) ?? '', findings);
    const first = isObject(value.registries) ? value.registries : undefined;
    search = value[SEARCH_KEY] ?? (isObject(first?.search) ? first.search.registries : undefined) ?? search;
    mode = value['short-name-mode'] ?? mode;
    const own = tableList(value.registry);
    if (first) findings.push(ofFirstVersion(path, own.length > 0 || value[SEARCH_KEY] !== undefined));
    for (const table of own) tables.set(textIn(table, 'prefix') || textIn(table, 'location'), table);
  }
  const asks = asksOf((host) => endpointsOf(host, tables));
  addAll(findings, tableFindings([...tables]));
  addAll(findings, searchFindings(textList(search), mode));
  if (program !== undefined) addAll(findings, policyFindings(files.get(POLICY)));
  const version = program === undefined ? undefined : programs.get(program);
  return { runtime: 'podman', ...(version !== undefined && { version }), reads, asks, findings };
}

/** Alone it is still read; in a drop-in, or in one file with tables of version 2, it is an error. */
function ofFirstVersion(path: string, isMixed: boolean): NodeFinding {
  const fails = isMixed || path !== MAIN;
  return {
    what: `${path} is of version 1${fails ? `, beside version 2: ${ALL_FAIL}` : ', and node_config writes nothing beside it'}`,
    mend: 'Remove it, or write it anew.',
  };
}

function tableFindings(tables: readonly (readonly [string, Json])[]): readonly NodeFinding[] {
  const findings: NodeFinding[] = [];
  const locations = tables.flatMap(([, table]) =>
    [table, ...tableList(table.mirror)].map((one) => textIn(one, 'location')),
  );
  const v6 = locations.find((location) => location.startsWith('['));
  if (v6 !== undefined) {
    findings.push({
      what: `an IPv6 address [${v6}] is taken for an invalid reference: every pull under this prefix fails`,
      mend: `Name it in /etc/hosts, and write the name. ${APPLY}`,
    });
  }
  const url = locations.find((location) => location.includes('://'));
  if (url !== undefined) {
    findings.push({
      what: `a location is a URL [${url}]: ${ALL_FAIL}`,
      mend: 'Write HOST:PORT alone, with insecure = true for http.',
    });
  }
  const bare = tables.find(([prefix, table]) => !textIn(table, 'location') && !prefix.startsWith('*.'));
  if (bare) findings.push({ what: `[[registry]] ${bare[0]} has no location: ${ALL_FAIL}`, mend: 'Add its location.' });
  return findings;
}

function searchFindings(search: readonly string[], mode: unknown): readonly NodeFinding[] {
  const mend = `${SEARCH_KEY} = ["docker.io"] in ${DROP_INS}. ${APPLY}`;
  if (search.length === 0) return [{ what: 'names without a host are refused', mend }];
  if (search.length === 1 || mode !== 'enforcing') return [];
  return [
    {
      what: `names without a host are refused: there are ${search.length} registries for them, and nobody to choose (short-name-mode)`,
      mend,
    },
  ];
}

function policyFindings(text: string | undefined): readonly NodeFinding[] {
  const mend = 'Write {"default":[{"type":"insecureAcceptAnything"}]} there.';
  if (text === undefined) return [{ what: `${POLICY} is missing: ${ALL_FAIL}`, mend }];
  try {
    const policy: unknown = JSON.parse(text);
    if (isObject(policy)) return [];
  } catch {
    // Told below.
  }
  return [{ what: `${POLICY} is not JSON: ${ALL_FAIL}`, mend }];
}

/** The host itself counts, before the longest `*.example.com` for the hosts below it. */
function endpointsOf(host: string, tables: ReadonlyMap<string, Json>): readonly string[] {
  const wildcards = [...tables.keys()].filter((prefix) => prefix.startsWith('*.') && host.endsWith(prefix.slice(1)));
  const [longest] = wildcards.sort((a, b) => b.length - a.length);
  const table = tables.get(host) ?? tables.get(longest ?? '');
  if (!table) return [itself(host)];
  if (table.blocked === true) return [];
  const own = textIn(table, 'location') || host;
  const last = own === host ? itself(host) : urlOf(own, table);
  const mirrors = table['mirror-by-digest-only'] === true ? [] : tableList(table.mirror).filter(servesTags);
  return [...mirrors.map((mirror) => urlOf(textIn(mirror, 'location'), mirror)), last];
}

function servesTags(mirror: Json): boolean {
  return mirror['pull-from-mirror'] !== 'digest-only';
}

function urlOf(location: string, { insecure }: Json): string {
  return `${insecure === true ? 'http' : 'https'}://${location}`;
}

function textIn(table: Json, key: string): string {
  const value = table[key];
  return typeof value === 'string' ? value : '';
}
