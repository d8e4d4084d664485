// Reads containers-registries.conf(5): the real location of a name, its mirrors, and what is insecure or blocked. Version 1 is translated to version 2.
import { join } from 'node:path';
import { dropIns, fieldsOf, invalid, readTomlFile } from '../../../io/files/read-config-file.ts';
import { userDirectory } from '../../../io/files/user-directories.ts';
import type { Json } from '../../../oci/decode.ts';
import { ImagesError } from '../../../oci/errors.ts';
import { canonicalHost, isHost, isRepositoryPath } from '../../../oci/reference.ts';
import type { Endpoint, HostRule, Mirror } from '../settings.ts';
import { defaultAddress } from './docker-hub.ts';

/** One `[[registry]]` table. */
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
  /** The directory `/etc`. */
  readonly etc: string;
}

export type RegistriesConf = (host: string, repository: string | undefined) => HostRule | undefined;

/** Errors: CONFIG_INVALID, FILE_UNREADABLE. */
export async function readRegistriesConf({ env, home, etc }: RegistriesConfSources): Promise<RegistriesConf> {
  const system = join(etc, 'containers');
  const configs = userDirectory('XDG_CONFIG_HOME', { env, home });
  const own = configs && join(configs, 'containers');
  const named = env.CONTAINERS_REGISTRIES_CONF;
  const main = named ? [named] : [own && join(own, 'registries.conf'), join(system, 'registries.conf')];
  const entries = new Map<string, Entry>();
  const take = (read: readonly Entry[] | undefined) => {
    for (const entry of read ?? []) entries.set(entry.prefix, entry);
  };
  for (const file of main) {
    const read = file ? await readEntries(file) : undefined;
    take(read);
    if (read) break;
    if (named) throw notThere(named);
  }
  for (const directory of [join(system, 'registries.conf.d'), own && join(own, 'registries.conf.d')]) {
    for (const file of directory ? await dropIns(directory, '.conf') : []) take(await readEntries(file, 'drop-in'));
  }
  return (host, repository) => findRule([...entries.values()], host, repository);
}

/** A file that the environment names must exist: ignoring it could ignore a prohibition. */
function notThere(file: string): ImagesError {
  return new ImagesError('FILE_UNREADABLE', `there is no ${file}`, {
    hint: 'Correct CONTAINERS_REGISTRIES_CONF, or unset it.',
  });
}

async function readEntries(file: string, dropIn?: 'drop-in'): Promise<readonly Entry[] | undefined> {
  const content = await readTomlFile(file);
  if (!content) return undefined;
  const fields = fieldsOf(file, content);
  const old = readVersion1(file, fields.object('registries') ?? {});
  const entries = fields.objects('registry').map((table) => readEntry(file, table));
  if (old.length > 0 && dropIn) return invalid(file, 'is of version 1, which a file in registries.conf.d may not be');
  if (old.length > 0 && entries.length > 0)
    return invalid(file, 'mixes versions 1 and 2: [registries] and [[registry]]');
  refuseContradictions(file, entries);
  return [...old, ...entries];
}

/** Reads `[registries.insecure]` and `[registries.block]`, which list hosts. `[registries.search]` is irrelevant for full names. */
function readVersion1(file: string, registries: Json): readonly Entry[] {
  const tables = fieldsOf(file, registries);
  const listed = (name: string) =>
    new Set(
      fieldsOf(file, tables.object(name) ?? {})
        .strings('registries')
        .map((host) => readName(file, host)),
    );
  listed('search');
  const [insecure, blocked] = [listed('insecure'), listed('block')];
  return [...new Set([...insecure, ...blocked])].map((prefix) => ({
    prefix,
    location: prefix,
    insecure: insecure.has(prefix),
    blocked: blocked.has(prefix),
    mirrors: [],
    file,
  }));
}

function readEntry(file: string, table: Json): Entry {
  const fields = fieldsOf(file, table);
  const location = fields.string('location') || undefined;
  const prefix = fields.string('prefix') || location;
  if (!prefix) return invalid(file, 'has a [[registry]] without prefix and location');
  if (location === undefined && !prefix.startsWith('*.')) return invalid(file, `has no location for ${prefix}`);
  if (fields.string('pull-from-mirror')) {
    return invalid(file, `has pull-from-mirror for ${prefix} itself: it belongs to a [[registry.mirror]]`);
  }
  const digestOnly = fields.boolean('mirror-by-digest-only') ?? false;
  return {
    prefix: readName(file, prefix, 'wildcard'),
    location: location && readName(file, location),
    insecure: fields.boolean('insecure') ?? false,
    blocked: fields.boolean('blocked') ?? false,
    mirrors: fields.objects('mirror').map((mirror) => readMirror(file, mirror, digestOnly)),
    file,
  };
}

/** Reads `host[:port][/path]`, for a prefix also `*.domain[/path]`. Anything else is an error: it would match nothing, though it may be meant as a prohibition. */
function readName(file: string, text: string, wildcard?: 'wildcard'): string {
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(text))
    return invalid(file, `has a scheme in [${text}]: a location is HOST[:PORT][/PATH]`);
  const name = text.trim().replace(/\/+$/, '');
  const [first = '', ...path] = name.split('/');
  const host = wildcard && first.startsWith('*.') ? first.slice(2) : first;
  const isPath = path.length === 0 || isRepositoryPath(path.join('/'));
  if (!/^[\w-]+$/.test(host) && !isHost(host)) return invalid(file, `has a wrong host in [${text}]`);
  if (!isPath)
    return invalid(file, `has a wrong path in [${text}]: no tags, digests and wildcards are understood there`);
  return [canonicalHost(first), ...path].join('/');
}

/** Refuses contradicting entries for one name. The last would win, but another one may be a prohibition. */
function refuseContradictions(file: string, entries: readonly Entry[]): void {
  const known = new Map<string, Entry>();
  for (const entry of entries) {
    const other = known.get(entry.prefix);
    if (other && (other.blocked !== entry.blocked || other.insecure !== entry.insecure)) {
      invalid(file, `has two entries for ${entry.prefix} that contradict each other in blocked or insecure`);
    }
    known.set(entry.prefix, entry);
  }
}

function readMirror(file: string, table: Json, digestOnly: boolean): MirrorEntry {
  const fields = fieldsOf(file, table);
  const location = fields.string('location');
  if (!location) return invalid(file, 'has a [[registry.mirror]] without location');
  const pulls = fields.string('pull-from-mirror');
  if (pulls && digestOnly) {
    return invalid(file, `has both mirror-by-digest-only and, for ${location}, pull-from-mirror`);
  }
  return {
    location: readName(file, location),
    insecure: fields.boolean('insecure') ?? false,
    pulls: readPulls(file, pulls ?? (digestOnly ? 'digest-only' : 'all')),
  };
}

function readPulls(file: string, value: string): Mirror['pulls'] {
  if (value === 'all' || value === '') return 'all';
  if (value === 'digest-only') return 'by-digest';
  if (value === 'tag-only') return 'by-tag';
  return invalid(file, `has a wrong value: pull-from-mirror is [${value}]`);
}

/** Only the entry with the longest matching prefix applies. */
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

/** The part of the name that the prefix matches: for `*.example.com` the actual host. */
function matchedPart(prefix: string, name: string): string | undefined {
  if (!prefix.startsWith('*.')) return name === prefix || name.startsWith(`${prefix}/`) ? prefix : undefined;
  const host = name.split('/', 1)[0] ?? '';
  const [domain = '', ...path] = prefix.slice(1).split('/');
  if (!host.endsWith(domain)) return undefined;
  const part = [host, ...path].join('/');
  return name === part || name.startsWith(`${part}/`) ? part : undefined;
}

/** The endpoint for the rule that names `matched/…` are found at `location/…`. */
function endpointAt(location: string, matched: string, insecure: boolean): Endpoint {
  const [host = '', ...to] = location.split('/');
  const [, ...from] = matched.split('/');
  return {
    host: defaultAddress(host),
    ...(insecure && { insecure }),
    ...(from.join('/') !== to.join('/') && { rename: { from: from.join('/'), to: to.join('/') } }),
  };
}
