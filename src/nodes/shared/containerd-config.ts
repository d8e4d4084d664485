// containerd's config.toml with our `config_path` in it. The text is edited, so comments and everything else stay. Pure. An import cannot do it: containerd 1.x
// takes a plugin's whole section from it, and loses what the file itself says of the plugin.
import { parse } from 'smol-toml';
import { CERTS_D, CONFIG_TABLES, TRANSFER_TABLE } from '../containerd-files.ts';
import { type Merged, refused } from './merged.ts';

const PLUGINS: readonly string[] = ['io.containerd.grpc.v1.cri', 'io.containerd.cri.v1.images'];
const TRANSFER_PLUGIN = 'io.containerd.transfer.v1.local';

/** Of a file, by the names of its tables. */
interface Shape {
  readonly lines: readonly string[];
  readonly version: string | undefined;
  /** Lines of tables and of their `config_path`. */
  readonly tables: ReadonlyMap<string, number>;
  readonly paths: ReadonlyMap<string, number>;
  /** Tables with keys of their own, and what they hold in dotted keys or in one line: `NAME.mirrors`, `NAME.tls`. */
  readonly own: ReadonlySet<string>;
  /** What cannot be edited in place. */
  readonly isOdd: boolean;
  readonly isTransferOdd: boolean;
  readonly unreadable?: string;
}

/** Version 1, mirrors of the file's own (containerd refuses them beside `config_path`) and another directory stay: then it says why. */
export function withConfigPath(text: string): Merged {
  const shape = shapeOf(text);
  if (shape.unreadable !== undefined) return refused(shape.unreadable);
  // As a file that is not there.
  if (shape.own.size === 0) return withConfigPath(`version = 2\n${text}`);
  if (shape.version === undefined || shape.version === '1') return refused(VERSION_1);
  if (shape.version !== '2' && shape.version !== '3') return refused('it is not of version 2 or 3');
  const registry = CONFIG_TABLES[shape.version === '3' ? 3 : 2];
  const why = refusal(shape, registry);
  if (why !== undefined) return refused(why);
  const isTransferOurs = !shape.isTransferOdd && mayChange(pathIn(shape, TRANSFER_TABLE) ?? '');
  const wanted = [registry, ...(isTransferOurs ? [TRANSFER_TABLE] : [])];
  const edited = wanted.reduce((lines, table) => withPath(lines, table, shape), [...shape.lines]).join('\n');
  const missing = wanted.filter((table) => !shape.tables.has(table));
  const end = edited.endsWith('\n') ? edited : `${edited}\n`;
  const result = `${missing.length === 0 ? edited : end}${missing.map((table) => `\n[${table}]\n${LINE}\n`).join('')}`;
  try {
    parse(result);
  } catch {
    return refused('it cannot be read');
  }
  return { text: result };
}

function refusal(shape: Shape, registry: string): string | undefined {
  if (shape.isOdd) return `the table of the registry is written in another way than [${registry}]`;
  const names = [...shape.tables.keys(), ...shape.own];
  if (names.some((name) => name.startsWith(`${registry}.mirrors.`)) || shape.own.has(`${registry}.mirrors`))
    return 'it has mirrors of its own';
  const isTls = (name: string) => name.startsWith(`${registry}.configs.`) && name.endsWith('.tls');
  if (names.some(isTls) || shape.own.has(`${registry}.tls`)) return 'it has TLS settings of its own';
  const path = pathIn(shape, registry);
  return path !== undefined && !mayChange(path) ? `its config_path is ${path}` : undefined;
}

/** What a package of docker puts there: the CRI plugin is off, and docker reads none of it. */
export const VERSION_1 =
  'it is of version 1, as packages of docker leave it, and docker needs nothing of it. For Kubernetes write it anew (containerd config default), then run this again';

const LINE = `  config_path = "${CERTS_D}"`;

/** Ours, nothing, or a list of directories with ours: of a list, the transfer service reads none. */
function mayChange(path: string): boolean {
  return path === '' || path.split(':').includes(CERTS_D);
}

function pathIn({ lines, paths }: Shape, table: string): string | undefined {
  const at = paths.get(table);
  return at === undefined ? undefined : settingOf(lines[at] ?? '');
}

/** The number of lines stays the same: others are still to be changed. */
function withPath(lines: string[], table: string, { tables, paths }: Shape): string[] {
  const [path, header] = [paths.get(table), tables.get(table)];
  if (path !== undefined && settingOf(lines[path] ?? '') !== CERTS_D)
    lines[path] = `${/^\s*/.exec(lines[path] ?? '')?.[0] ?? ''}${LINE.trim()}`;
  else if (path === undefined && header !== undefined) lines[header] += `\n${LINE}`;
  return lines;
}

function shapeOf(text: string): Shape {
  const lines = text.split('\n');
  const [tables, paths, own] = [new Map<string, number>(), new Map<string, number>(), new Set<string>()];
  let current = '';
  let version: string | undefined;
  let [isOdd, isTransferOdd, hasLongStrings] = [false, false, false];
  let inside = 0;
  for (const [at, line] of lines.entries()) {
    if (!/^\s*#/.test(line) && /"""|'''/.test(line)) hasLongStrings = true;
    if (inside > 0) {
      inside += opens(line);
      continue;
    }
    if (/^\s*\[/.test(line)) {
      current = tableOf(line);
      if (!tables.has(current)) tables.set(current, at);
      continue;
    }
    const [, written] = /^\s*(["'\w][^=]*)/.exec(line) ?? [];
    if (written === undefined) continue;
    inside = opens(line);
    const key = plain(written);
    const setting = settingOf(line);
    own.add(current);
    if (current === '' && key === 'version') version = setting;
    if (key === 'config_path') paths.set(current, at);
    if (key.startsWith('mirrors') && !/^\{\s*\}$/.test(setting)) own.add(`${current}.mirrors`);
    if (key.startsWith('tls') || (key.startsWith('configs') && line.includes('tls'))) own.add(`${current}.tls`);
    if (current === '' || current === 'plugins') {
      if (key === 'plugins' || PLUGINS.some((plugin) => key.includes(plugin))) isOdd = true;
      if (key.includes(TRANSFER_PLUGIN)) isTransferOdd = true;
    }
    if (PLUGINS.some((plugin) => current === `plugins."${plugin}"`) && key.startsWith('registry')) isOdd = true;
  }
  const unreadable = hasLongStrings ? 'it has strings of several lines' : inside > 0 ? 'it cannot be read' : undefined;
  return { lines, version, tables, paths, own, isOdd, isTransferOdd, ...(unreadable !== undefined && { unreadable }) };
}

/** How many brackets a line opens, and does not close. */
function opens(line: string): number {
  const bare = line
    .replaceAll(/"(?:[^"\\]|\\.)*"/g, '')
    .replaceAll(/'[^']*'/g, '')
    .replace(/#.*/, '');
  return bare.replaceAll(/[^[{]/g, '').length - bare.replaceAll(/[^\]}]/g, '').length;
}

function tableOf(line: string): string {
  return plain(line.replace(/^\s*\[/, '').replace(/\]\s*(?:#.*)?$/, ''));
}

/** Quotes around a word mean nothing. */
function plain(name: string): string {
  return name
    .replaceAll(/\s/g, '')
    .replaceAll("'", '"')
    .replaceAll(/"([\w-]+)"/g, '$1');
}

function settingOf(line: string): string {
  return line
    .replace(/^[^=]*=\s*/, '')
    .replace(/\s*(?:#.*)?$/, '')
    .replaceAll(/["']/g, '');
}
