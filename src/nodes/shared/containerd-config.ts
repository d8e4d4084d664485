// containerd's config.toml with our `config_path` in it. The text is edited, so comments and everything else stay. Pure. An import cannot do it: containerd 1.x
// takes a plugin's whole section from it, and loses what the file itself says of the plugin.
import { parse } from 'smol-toml';
import { CERTS_D, CONFIG_TABLES, TRANSFER_TABLE } from '../containerd-files.ts';
import { type Merged, refused } from './merged.ts';

const PLUGINS: readonly string[] = ['io.containerd.grpc.v1.cri', 'io.containerd.cri.v1.images'];

interface Shape {
  readonly lines: readonly string[];
  readonly version: string | undefined;
  /** Lines of tables and of their `config_path`, by the table's name. */
  readonly tables: ReadonlyMap<string, number>;
  readonly paths: ReadonlyMap<string, number>;
  readonly keys: ReadonlyMap<string, number>;
  readonly isOdd: boolean;
}

/** Version 1, mirrors of the file's own (containerd refuses them beside `config_path`) and another directory stay: then it says why. */
export function withConfigPath(text: string): Merged {
  // As a file that is not there.
  if (shapeOf(text).keys.size === 0) return withConfigPath(`version = 2\n${text}`);
  const shape = shapeOf(text);
  if (shape.version !== '2' && shape.version !== '3') return refused('it is not of version 2 or 3');
  const registry = CONFIG_TABLES[shape.version === '3' ? 3 : 2];
  if (shape.isOdd) return refused(`the table of the registry is written in another way than [${registry}]`);
  for (const name of shape.tables.keys()) {
    const isMirror =
      name.startsWith(`${registry}.mirrors.`) || (name === `${registry}.mirrors` && shape.keys.has(name));
    if (isMirror) return refused('it has mirrors of its own');
    if (name.startsWith(`${registry}.configs.`) && name.endsWith('.tls'))
      return refused('it has TLS settings of its own');
  }
  const path = pathIn(shape, registry);
  if (path !== undefined && !mayChange(path)) return refused(`its config_path is ${path}`);
  const wanted = [registry, ...(mayChange(pathIn(shape, TRANSFER_TABLE) ?? '') ? [TRANSFER_TABLE] : [])];
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
  const [tables, paths, keys] = [new Map<string, number>(), new Map<string, number>(), new Map<string, number>()];
  let current = '';
  let version: string | undefined;
  let isOdd = false;
  for (const [at, line] of lines.entries()) {
    if (/^\s*\[/.test(line)) {
      current = tableOf(line);
      if (!tables.has(current)) tables.set(current, at);
      continue;
    }
    const [, written] = /^\s*(["'\w][^=]*)/.exec(line) ?? [];
    if (written === undefined) continue;
    const key = written.replaceAll(/\s/g, '').replaceAll("'", '"');
    keys.set(current, at);
    if (current === '' && key === 'version') version = settingOf(line);
    if (key === 'config_path') paths.set(current, at);
    if ((current === '' || current === 'plugins') && PLUGINS.some((plugin) => key.includes(plugin))) isOdd = true;
    if (PLUGINS.some((plugin) => current === `plugins."${plugin}"`) && key.startsWith('registry')) isOdd = true;
  }
  return { lines, version, tables, paths, keys, isOdd };
}

function tableOf(line: string): string {
  return line
    .replace(/^\s*\[/, '')
    .replace(/\]\s*(?:#.*)?$/, '')
    .replaceAll(/\s/g, '')
    .replaceAll("'", '"');
}

function settingOf(line: string): string {
  return line
    .replace(/^[^=]*=\s*/, '')
    .replace(/\s*(?:#.*)?$/, '')
    .replaceAll(/["']/g, '');
}
