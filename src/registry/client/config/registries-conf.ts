// containers-registries.conf(5), version 2: which host a name is really read from, its mirrors, and what is insecure or blocked.
import { join } from 'node:path';
import type { Json } from '../../../oci/decode.ts';
import { canonicalHost } from '../../../oci/reference.ts';
import type { Endpoint, HostRule, Mirror } from '../settings.ts';
import { defaultAddress } from './docker-hub.ts';
import { dropIns, fieldsOf, invalid, readTomlFile } from './read-config.ts';

/** One `[[registry]]`. */
interface Entry {
  /** `host`, `host/path`, or `*.domain` with or without a path. */
  readonly prefix: string;
  readonly location: string | undefined;
  readonly insecure: boolean;
  readonly blocked: boolean;
  readonly mirrors: readonly MirrorEntry[];
  readonly file: string;
}

interface MirrorEntry {
  readonly location: string;
  readonly insecure: boolean;
  readonly pulls: Mirror['pulls'];
}

export interface RegistriesConfSources {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly home: string | undefined;
  /** `/etc`. */
  readonly etc: string;
}

export type RegistriesConf = (host: string, repository: string | undefined) => HostRule | undefined;

/** Errors: CONFIG_INVALID, FILE_UNREADABLE. */
export async function readRegistriesConf({ env, home, etc }: RegistriesConfSources): Promise<RegistriesConf> {
  const system = join(etc, 'containers');
  const own = home && join(env.XDG_CONFIG_HOME || join(home, '.config'), 'containers');
  const main = [env.CONTAINERS_REGISTRIES_CONF, own && join(own, 'registries.conf'), join(system, 'registries.conf')];
  const entries = new Map<string, Entry>();
  const take = (read: readonly Entry[] | undefined) => {
    for (const entry of read ?? []) entries.set(entry.prefix, entry);
  };
  for (const file of main) {
    const read = file ? await readEntries(file) : undefined;
    take(read);
    if (read) break;
  }
  for (const directory of [join(system, 'registries.conf.d'), own && join(own, 'registries.conf.d')]) {
    for (const file of directory ? await dropIns(directory, '.conf') : []) take(await readEntries(file));
  }
  return (host, repository) => findRule([...entries.values()], host, repository);
}

async function readEntries(file: string): Promise<readonly Entry[] | undefined> {
  const content = await readTomlFile(file);
  return (
    content &&
    fieldsOf(file, content)
      .objects('registry')
      .map((table) => readEntry(file, table))
  );
}

function readEntry(file: string, table: Json): Entry {
  const fields = fieldsOf(file, table);
  const location = fields.string('location') || undefined;
  const prefix = fields.string('prefix') || location;
  if (!prefix) return invalid(file, 'has a [[registry]] without prefix and location');
  if (location === undefined && !prefix.startsWith('*.')) return invalid(file, `has no location for ${prefix}`);
  const digestOnly = fields.boolean('mirror-by-digest-only') ?? false;
  return {
    prefix: normalise(prefix),
    location: location && normalise(location),
    insecure: fields.boolean('insecure') ?? false,
    blocked: fields.boolean('blocked') ?? false,
    mirrors: fields.objects('mirror').map((mirror) => readMirror(file, mirror, digestOnly)),
    file,
  };
}

function readMirror(file: string, table: Json, digestOnly: boolean): MirrorEntry {
  const fields = fieldsOf(file, table);
  const location = fields.string('location');
  if (!location) return invalid(file, 'has a [[registry.mirror]] without location');
  return {
    location: normalise(location),
    insecure: fields.boolean('insecure') ?? false,
    pulls: readPulls(file, fields.string('pull-from-mirror') ?? (digestOnly ? 'digest-only' : 'all')),
  };
}

function readPulls(file: string, value: string): Mirror['pulls'] {
  if (value === 'all' || value === '') return 'all';
  if (value === 'digest-only') return 'by-digest';
  if (value === 'tag-only') return 'by-tag';
  return invalid(file, `has a wrong value: pull-from-mirror is [${value}]`);
}

/** The entry with the longest matching prefix decides alone. */
function findRule(entries: readonly Entry[], host: string, repository: string | undefined): HostRule | undefined {
  const name = repository ? `${host}/${repository}` : host;
  const best = entries
    .map((entry) => ({ entry, matched: matchedPart(entry.prefix, name) }))
    .filter((each): each is { entry: Entry; matched: string } => each.matched !== undefined)
    .sort((a, b) => b.entry.prefix.length - a.entry.prefix.length)[0];
  if (!best) return undefined;
  const { entry, matched } = best;
  return {
    mirrors: entry.mirrors.map((mirror) => ({
      ...endpointAt(mirror.location, matched, mirror.insecure),
      pulls: mirror.pulls,
    })),
    upstream: endpointAt(entry.location ?? matched, matched, entry.insecure),
    ...(entry.blocked && { blockedBy: entry.file }),
  };
}

/** The part of a name that a prefix stands for: for `*.example.com` the real host. */
function matchedPart(prefix: string, name: string): string | undefined {
  if (!prefix.startsWith('*.')) return name === prefix || name.startsWith(`${prefix}/`) ? prefix : undefined;
  const host = name.split('/', 1)[0] ?? '';
  const [domain = '', ...path] = prefix.slice(1).split('/');
  if (!host.endsWith(domain)) return undefined;
  const part = [host, ...path].join('/');
  return name === part || name.startsWith(`${part}/`) ? part : undefined;
}

/** What is called `matched/…` lives at `location/…`. */
function endpointAt(location: string, matched: string, insecure: boolean): Endpoint {
  const [host = '', ...to] = location.split('/');
  const [, ...from] = matched.split('/');
  return {
    host: defaultAddress(host),
    ...(insecure && { insecure }),
    ...(from.join('/') !== to.join('/') && { rename: { from: from.join('/'), to: to.join('/') } }),
  };
}

function normalise(name: string): string {
  const [host = '', ...path] = name.replace(/\/+$/, '').split('/');
  return [canonicalHost(host), ...path].join('/');
}
