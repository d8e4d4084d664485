// From where a registry fetches what is missing: what the command line and `proxy` in registry.toml say.
import { parseAge } from '../../io/text/age.ts';
import { WELL_KNOWN_HOSTS } from '../../nodes/well-known-hosts.ts';
import { ImagesError } from '../../oci/errors.ts';
import { canonicalHost, isHostName } from '../../oci/reference.ts';
import type { ProxyRules } from '../../registry/pull-through/contract.ts';
import {
  ageIn,
  type Fail,
  ifGiven,
  isTable,
  shown,
  type TomlPath,
  type TomlReading,
  trueOrFalse,
} from './toml-values.ts';
import { refuseUnknown } from './unknown-keys.ts';

/** What the command line says. */
export interface ProxyOptions {
  /** What is missing is fetched from the well-known hosts, and from these; `*` is any host with a public address. */
  readonly proxy?: readonly string[];
  /** How long a tag that was fetched is not looked for again: `5m`. */
  readonly ttl?: string;
  /** Nothing is asked: what was fetched is served. */
  readonly offline?: boolean;
}

/** What registry.toml says. */
export interface ProxyConfig {
  readonly hosts: readonly string[];
  /** In milliseconds. */
  readonly ttl?: number;
  readonly offline?: boolean;
  /** In milliseconds: what was fetched and not pulled for so long goes. */
  readonly keep?: number;
}

/** As others are told of it, in the record of a registry that runs. */
export interface RecordedProxy {
  /** Beside the well-known hosts; `*` is any with a public address. */
  readonly hosts: readonly string[];
  /** In milliseconds: how long a tag is not looked for again. */
  readonly ttl: number;
  readonly offline: boolean;
}

/** As it is used. */
export interface ServedProxy extends ProxyRules {
  readonly hosts: readonly string[];
  /** Any host with a public address. */
  readonly isForAll: boolean;
}

/**
 * In milliseconds. A tag that moves is seen within minutes, and a cluster whose nodes boot one after the other asks once. A HEAD costs no pull quota, but a registry
 * that is far away takes a second for it.
 */
const TTL = 5 * 60_000;
const ALL = '*';

/** `undefined`: nothing is fetched. Errors: USAGE. */
export function servedProxy(options: ProxyOptions, config: ProxyConfig | undefined): ServedProxy | undefined {
  checkProxyOptions(options);
  const { proxy, ttl, offline } = options;
  if (!proxy && !config) return undefined;
  const wanted = [...(proxy ?? []), ...(config?.hosts ?? [])].map(canonicalHost);
  const isForAll = wanted.includes(ALL);
  const hosts = [...new Set([...WELL_KNOWN_HOSTS, ...wanted.filter((host) => host !== ALL)])];
  const named = new Set(hosts);
  return {
    hosts,
    isForAll,
    names: (host) => named.has(host),
    has: (host) => named.has(host) || (isForAll && mayBePublic(host)),
    ttl: ttl === undefined ? (config?.ttl ?? TTL) : parseAge(ttl, '--ttl'),
    isOffline: offline ?? config?.offline ?? false,
  };
}

/** Errors: USAGE. */
export function checkProxyOptions({ proxy = [], ttl }: ProxyOptions): void {
  if (ttl !== undefined) parseAge(ttl, '--ttl');
  for (const host of proxy) {
    if (host === ALL || isHostName(host)) continue;
    throw new ImagesError('USAGE', `not a host [--proxy=${host}]`, {
      hint: "Write --proxy alone for the well-known hosts, --proxy=HOST,… for more, or --proxy='*' for any with a public address.",
    });
  }
}

/** Errors: USAGE, for options that do nothing without a proxy. */
export function requireProxy({ ttl, offline }: ProxyOptions, served: ServedProxy | undefined): void {
  if (served || (ttl === undefined && !offline)) return;
  throw new ImagesError('USAGE', `${offline ? '--offline' : '--ttl'} says something of --proxy, which is not given`, {
    hint: 'Add --proxy, or `proxy` in registry.toml.',
  });
}

/** As others are told of it. */
export function recordedProxy({ hosts, isForAll, ttl, isOffline }: ServedProxy): RecordedProxy {
  const more = hosts.filter((host) => !WELL_KNOWN_HOSTS.includes(host));
  return { hosts: [...more, ...(isForAll ? [ALL] : [])], ttl, offline: isOffline };
}

/** A name with a dot and the usual port: other ports, and names without a dot, are of one's own network, and have to be named. The address decides when it is asked. */
function mayBePublic(host: string): boolean {
  return host.includes('.') && !/:\d+$/.test(host);
}

/** `proxy = true`, `proxy = "HOST"`, `proxy = ["HOST", …]`, or a table `[proxy]`. `undefined` for `proxy = false`. */
export function proxyConfig(value: unknown, reading: TomlReading): ProxyConfig | undefined {
  const { fail } = reading;
  if (value === false) return undefined;
  if (value === true) return { hosts: [] };
  if (typeof value === 'string' || Array.isArray(value)) return { hosts: hostsOf(value, ['proxy'], fail) };
  if (!isTable(value)) {
    return fail(['proxy'], `proxy is neither true nor a list of hosts [${shown(value)}]`, 'Write proxy = true.');
  }
  refuseUnknown(value, ['proxy'], reading);
  const ttl = ifGiven(value.ttl, (age) => ageIn(age, ['proxy', 'ttl'], fail));
  const keep = ifGiven(value.keep, (age) => ageIn(age, ['proxy', 'keep'], fail));
  const offline = ifGiven(value.offline, (truth) => trueOrFalse(truth, ['proxy', 'offline'], fail));
  return {
    hosts: value.hosts === undefined ? [] : hostsOf(value.hosts, ['proxy', 'hosts'], fail),
    ...(ttl !== undefined && { ttl }),
    ...(offline !== undefined && { offline }),
    ...(keep !== undefined && { keep }),
  };
}

function hostsOf(value: unknown, path: TomlPath, fail: Fail): readonly string[] {
  const all: readonly unknown[] = Array.isArray(value) ? value : [value];
  return all.map((host) =>
    typeof host === 'string' && (host === ALL || isHostName(host))
      ? host
      : fail(path, `not a host [${shown(host)}]`, 'Write hosts in quotes: ["registry.example:5000"]; "*" is any.'),
  );
}
