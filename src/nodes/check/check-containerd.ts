// containerd: config.toml, which leads to certs.d, or has mirrors itself (docs/hosts.md and docs/cri/registry.md of containerd).
import { addAll } from '../../oci/add-all.ts';
import { isObject, type Json } from '../../oci/decode.ts';
import { CERTS_D, CONFIG_TABLES } from '../containerd-files.ts';
import { textList, tomlOf } from './config-values.ts';
import { APPLY, asksOf, CHECKED_HOSTS, itself, type NodeFinding, type RuntimeCheck } from './contract.ts';
import type { NodeFacts } from './probe-answer.ts';

const CONFIG = '/etc/containerd/config.toml';
const [CRI, IMAGES] = ['io.containerd.grpc.v1.cri', 'io.containerd.cri.v1.images'];
/** Of containerds that others start for themselves. */
const OTHERS = /^\/var\/lib\/rancher\/|^\/(?:var\/)?run\/docker\//;

export function checkContainerd(facts: NodeFacts): RuntimeCheck | undefined {
  const { files, programs } = facts;
  if (!programs.has('containerd') && !files.has(CONFIG) && !facts.unreadable.includes(CONFIG)) return undefined;
  const findings: NodeFinding[] = [];
  const version = programs.get('containerd');
  const isFirst = /\s1\.\d+\.\d+|\sv1\.\d/.test(version ?? '');
  const file = files.has(CONFIG) ? tomlOf(CONFIG, files.get(CONFIG) ?? '', findings) : undefined;
  // What containerd itself makes of its files, imports and defaults.
  const whole =
    facts.containerdConfig === undefined ? undefined : tomlOf('containerd config dump', facts.containerdConfig, []);
  const config = whole ?? file ?? {};
  const isOff = textList(config.disabled_plugins).some((name) => name === 'cri' || name === CRI || name === IMAGES);
  // A containerd without CRI beside docker is docker's: it pulls nothing by itself.
  if (isOff && programs.has('dockerd')) return undefined;
  addAll(findings, otherConfiguration(facts));
  const registry = registryOf(config, isFirst);
  const paths = typeof registry.config_path === 'string' ? directoriesOf(registry.config_path) : [];
  addAll(findings, configFindings({ file, registry, paths, isFirst, isOff }));
  const isRead = paths.includes(CERTS_D);
  const reads = [
    ...(file ? [CONFIG] : []),
    ...textList(config.imports).filter((path) => path !== CONFIG),
    ...(isRead ? [...files.keys()].filter((name) => name.startsWith(`${CERTS_D}/`)) : []),
  ];
  const asks = asksOf((host) => (isRead ? byCertsD(host, facts, findings) : byMirrors(host, registry)));
  if (isFirst && isRead) addAll(findings, ignoredFiles(facts));
  return { runtime: 'containerd', ...(version !== undefined && { version }), reads, asks, findings };
}

/** If one of them reads the default configuration, the others are not the system's. */
function otherConfiguration({ processes }: NodeFacts): readonly NodeFinding[] {
  const named = (processes.get('containerd') ?? []).map((line) => /(?:-c|--config)[ =](\S+)/.exec(line)?.[1] ?? CONFIG);
  const own = named.filter((path) => !OTHERS.test(path));
  const [other] = own;
  if (other === undefined || own.includes(CONFIG)) return [];
  return [{ what: `it reads another configuration [${other}]`, mend: `Set config_path = "${CERTS_D}" there, too.` }];
}

interface ContainerdConfig {
  readonly file: Json | undefined;
  readonly registry: Json;
  /** Of config_path. */
  readonly paths: readonly string[];
  readonly isFirst: boolean;
  readonly isOff: boolean;
}

function configFindings({ file, registry, paths, isFirst, isOff }: ContainerdConfig): readonly NodeFinding[] {
  const findings: NodeFinding[] = [];
  const add = (what: string, mend: string) => findings.push({ what, mend });
  const set = `config_path = "${CERTS_D}". ${APPLY}`;
  if (isOff) {
    add(
      'the CRI plugin is off (disabled_plugins): kubelet cannot use it',
      `Take it out of disabled_plugins in ${CONFIG}.`,
    );
  }
  if (file && file.version === undefined)
    add(`${CONFIG} is of version 1: tables of later versions are ignored`, 'Begin it with version = 2.');
  if (isFirst && file && versionOf(file) > 2)
    add(`${CONFIG} is of version ${versionOf(file)}: containerd 1.x does not start with it`, 'Write it in version 2.');
  const mirrors = isObject(registry.mirrors) ? Object.keys(registry.mirrors) : [];
  const misplaced = file && paths.length === 0 ? misplacedTable(file) : undefined;
  if (mirrors.length > 0 && paths.length > 0) {
    add('there are mirrors and config_path: the CRI plugin does not start', `Take the mirrors out of ${CONFIG}.`);
  } else if (mirrors.length > 0) {
    add(`it has mirrors in ${CONFIG}, so certs.d is not read`, `Take them out, and set ${set}`);
  } else if (paths.length > 1) {
    add(
      `config_path names several directories [${paths.join(':')}]: the transfer service of containerd 2.x then reads none (containerd#12415)`,
      set,
    );
  } else if (misplaced) {
    add(
      `config_path stands in [${misplaced.table}], which version ${misplaced.version} does not read`,
      `Put it into [${misplaced.right}].`,
    );
  } else if (paths.length === 0) {
    add('config_path is not set, so certs.d is not read', set);
  } else if (!paths.includes(CERTS_D)) {
    add(`config_path is ${paths.join(':')}, not ${CERTS_D}`, 'Put the files of images node_config there.');
  }
  return findings;
}

/** Where config_path stands, if that is the table of another version. */
function misplacedTable(
  file: Json,
): { readonly table: string; readonly right: string; readonly version: number } | undefined {
  const version = versionOf(file) > 2 ? 3 : 2;
  const plugin = pluginsOf(file)[version === 3 ? CRI : IMAGES];
  const registry = isObject(plugin) ? plugin.registry : undefined;
  if (!isObject(registry) || !registry.config_path) return undefined;
  return { table: CONFIG_TABLES[version === 3 ? 2 : 3], right: CONFIG_TABLES[version], version };
}

/** In the table that counts: containerd 2.x takes that of version 3 in a file of version 2, too. */
function registryOf(config: Json, isFirst: boolean): Json {
  const plugins = pluginsOf(config);
  const version = versionOf(config);
  const names = version > 2 ? [IMAGES] : version < 2 ? ['cri'] : isFirst ? [CRI] : [CRI, IMAGES];
  const tables = names.map((name) => plugins[name]).filter(isObject);
  return tables.map(({ registry }) => registry).find(isObject) ?? {};
}

/** Absent: 1. */
function versionOf({ version }: Json): number {
  return typeof version === 'number' ? version : 1;
}

function pluginsOf({ plugins }: Json): Json {
  return isObject(plugins) ? plugins : {};
}

function directoriesOf(path: string): readonly string[] {
  return path
    .split(':')
    .filter((part) => part !== '')
    .map((part) => part.replace(/(?<=.)\/+$/, ''));
}

/** containerd takes the first of the two directories that is there, also without a file in it. */
function hostsFile(host: string, { files, directories }: NodeFacts): string | undefined {
  const directory = [host, '_default']
    .map((name) => `${CERTS_D}/${name}`)
    .find((path) => directories.has(path) || files.has(`${path}/hosts.toml`));
  return directory === undefined ? undefined : `${directory}/hosts.toml`;
}

function ignoredFiles(facts: NodeFacts): readonly NodeFinding[] {
  const broken = CHECKED_HOSTS.map((host) => hostsFile(host, facts)).find((file) =>
    /^\s*\[host\."[^"]*\[/m.test(facts.files.get(file ?? '') ?? ''),
  );
  if (broken === undefined) return [];
  return [
    {
      what: `containerd 1.x ignores ${broken}, because it has an IPv6 address in the name of a table`,
      mend: `Name it in /etc/hosts, and write the name. ${APPLY}`,
    },
  ];
}

function byCertsD(host: string, facts: NodeFacts, findings: NodeFinding[]): readonly string[] {
  const path = hostsFile(host, facts);
  if (path === undefined) return [itself(host)];
  const text = facts.files.get(path);
  if (text === undefined) {
    findings.push({
      what: `${path} is missing, and without it ${host} is asked`,
      mend: `Remove the directory. ${APPLY}`,
    });
    return [itself(host)];
  }
  const value = tomlOf(path, text, findings);
  const hosts = isObject(value.host) ? Object.entries(value.host) : [];
  const server = typeof value.server === 'string' ? value.server : itself(host);
  return [...new Set([...hosts.flatMap(([url, table]) => (pulls(table) ? [url] : [])), server])];
}

/** Without capabilities, all of them are meant. */
function pulls(table: unknown): boolean {
  const capabilities = isObject(table) && Array.isArray(table.capabilities) ? table.capabilities : undefined;
  return !capabilities || (capabilities.includes('pull') && capabilities.includes('resolve'));
}

function byMirrors(host: string, { mirrors }: Json): readonly string[] {
  const table = isObject(mirrors) ? (mirrors[host] ?? mirrors['*']) : undefined;
  return [...(isObject(table) ? textList(table.endpoint) : []), itself(host)];
}
