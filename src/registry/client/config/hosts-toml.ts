// Reads containerd's hosts.toml: `certs.d/HOST/hosts.toml`, or `_default` for hosts without a file (containerd, docs/hosts.md).
import { dirname, join, resolve } from 'node:path';
import { fieldsOf, invalid, readTomlFile } from '../../../io/files/read-config-file.ts';
import { tryParseHttpUrl } from '../../../io/http/http-url.ts';
import { isObject, type Json } from '../../../oci/decode.ts';
import type { Endpoint, HostRule, Mirror } from '../settings.ts';
import { defaultAddress } from './docker-hub.ts';

export interface HostsToml {
  readonly rule: HostRule;
  /** Whether the file is for this host, not the `_default`. */
  readonly isOwn: boolean;
  /** CAs and client certificates, by the host to which they apply. */
  readonly trust: ReadonlyMap<string, TrustFiles>;
}

export interface TrustFiles {
  readonly ca: readonly string[];
  readonly client?: { readonly cert: string; readonly key: string };
}

/** Returns `undefined` if there is no file for the host. Errors: CONFIG_INVALID, FILE_UNREADABLE. */
export async function readHostsToml(directory: string, host: string): Promise<HostsToml | undefined> {
  for (const name of directoryNames(host)) {
    const file = join(directory, name, 'hosts.toml');
    const content = await readTomlFile(file);
    if (!content) continue;
    return { rule: readRule(file, content, host), isOwn: name !== '_default', trust: readTrust(file, content, host) };
  }
  return undefined;
}

/** Names in containerd's order. Some replace the colon, because not every file system allows it in names. */
function directoryNames(host: string): readonly string[] {
  const [, name, port] = /^(.*):(\d+)$/.exec(host) ?? [];
  return port === undefined ? [host, '_default'] : [`${name}_${port}_`, host, '_default'];
}

function readRule(file: string, content: Json, host: string): HostRule {
  const fields = fieldsOf(file, content);
  const server = fields.string('server');
  const mirrors = Object.entries(fields.object('host') ?? {}).flatMap(([address, table]) =>
    isObject(table) ? (readMirror(file, address, table) ?? []) : invalid(file, `has a wrong entry for ${address}`),
  );
  // `server` replaces the host itself; keys at the top level apply to it.
  const upstream = server
    ? readEndpoint(file, server, content)
    : { host: defaultAddress(host), ...insecurity(file, content) };
  return { mirrors, upstream };
}

const CAPABILITIES: readonly string[] = ['pull', 'resolve', 'push', 'referrers'];

/** Returns `undefined` for a host that is for pushing only. Without `capabilities` a host can do everything. */
function readMirror(file: string, address: string, table: Json): Mirror | undefined {
  const written = fieldsOf(file, table).strings('capabilities');
  const unknown = written.find((each) => !CAPABILITIES.includes(each));
  if (unknown !== undefined) return invalid(file, `has an unknown capability for ${address} [${unknown}]`);
  const capabilities = written.length > 0 ? written : CAPABILITIES;
  if (!capabilities.includes('pull')) return undefined;
  const pulls = capabilities.includes('resolve') ? 'all' : 'by-digest';
  return { ...readEndpoint(file, address, table), pulls, namespace: true };
}

function readEndpoint(file: string, address: string, table: Json): Endpoint {
  const text = /^[a-z][a-z0-9+.-]*:\/\//i.test(address) ? address : `https://${address}`;
  const url = tryParseHttpUrl(text) ?? invalid(file, `has a wrong address [${address}]`);
  const path = url.path.replace(/\/+$/, '');
  const whole = fieldsOf(file, table).boolean('override_path') || path.endsWith('/v2');
  return {
    host: url.host,
    scheme: url.secure ? 'https' : 'http',
    ...(path && { root: whole ? path : `${path}/v2` }),
    ...insecurity(file, table),
  };
}

function readTrust(file: string, content: Json, host: string): ReadonlyMap<string, TrustFiles> {
  const server = fieldsOf(file, content).string('server') ?? `https://${defaultAddress(host)}`;
  const tables = [[server, content], ...Object.entries(fieldsOf(file, content).object('host') ?? {})] as const;
  return new Map(
    tables.flatMap(([address, table]) => {
      const trust = isObject(table) ? trustFiles(file, table) : undefined;
      return trust ? [[readEndpoint(file, address, {}).host, trust] as const] : [];
    }),
  );
}

/** Paths are relative to the file. A client certificate can be a pair of files, or one file with both. */
function trustFiles(file: string, table: Json): TrustFiles | undefined {
  if (table.ca === undefined && table.client === undefined) return undefined;
  const path = (value: unknown): string =>
    typeof value === 'string'
      ? resolve(dirname(file), value)
      : invalid(file, 'has a wrong value: ca or client is no path');
  const list = (value: unknown): readonly unknown[] =>
    value === undefined ? [] : Array.isArray(value) ? value : [value];
  const [first] = list(table.client);
  const [cert, key = cert] = list(first);
  return {
    ca: list(table.ca).map(path),
    ...(cert !== undefined && { client: { cert: path(cert), key: path(key) } }),
  };
}

function insecurity(file: string, table: Json): { readonly insecure?: true } {
  return fieldsOf(file, table).boolean('skip_verify') ? { insecure: true } : {};
}
