// The configuration of the image that is being built (OCI image specification 1.1, config.md, and Docker's additional fields). Immutable values.
import type { HistoryEntry } from '../../oci/config.ts';
import * as decode from '../../oci/decode.ts';
import type { Digest } from '../../oci/digest.ts';
import { normalisePlatform, type Platform } from '../../oci/platform.ts';

type Fields = Readonly<Record<string, unknown>>;

export interface Config {
  /** All fields except `config`, `history`, `created` and `rootfs`. */
  readonly top: Fields;
  /** The field `config`: the defaults for containers. */
  readonly inner: Inner;
  readonly history: readonly HistoryEntry[];
}

export interface ConfigHealthcheck {
  readonly Test?: readonly string[];
  readonly Interval?: number;
  readonly Timeout?: number;
  readonly StartPeriod?: number;
  readonly StartInterval?: number;
  readonly Retries?: number;
}

export interface Inner {
  readonly User?: string;
  readonly ExposedPorts?: Readonly<Record<string, object>>;
  readonly Env?: readonly string[];
  readonly Entrypoint?: readonly string[];
  readonly Cmd?: readonly string[];
  readonly Volumes?: Readonly<Record<string, object>>;
  readonly WorkingDir?: string;
  readonly Labels?: Readonly<Record<string, string>>;
  readonly StopSignal?: string;
  readonly ArgsEscaped?: boolean;
  readonly Healthcheck?: ConfigHealthcheck;
  readonly OnBuild?: readonly string[];
  readonly Shell?: readonly string[];
}

export const DEFAULT_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** The configuration of `FROM scratch`. */
export function emptyConfig(platform: Platform): Config {
  return { top: platformFields(platform), inner: { Env: [`PATH=${DEFAULT_PATH}`], WorkingDir: '/' }, history: [] };
}

/** The configuration of a base, without fields that only describe how it was made. Errors: MANIFEST_INVALID. */
export function configOfBase(bytes: Uint8Array): Config {
  const {
    created: _,
    rootfs: __,
    history,
    config,
    ...rest
  } = decode.object(decode.parseJson(bytes, 'config'), 'config');
  const given = decode.optional(config, 'config.config', decode.object) ?? {};
  const env = decode.optional(given.Env, 'config.config.Env', decode.strings) ?? [];
  const hasPath = env.some((each) => each.startsWith('PATH='));
  const inner = Object.fromEntries(
    Object.entries(given).filter(([name, value]) => value !== null && value !== '' && !LEFT_BEHIND_INSIDE.has(name)),
  );
  return {
    top: Object.fromEntries(Object.entries(rest).filter(([name]) => !LEFT_BEHIND.has(name))),
    inner: { ...inner, Env: hasPath ? env : [...env, `PATH=${DEFAULT_PATH}`] },
    history: (decode.optional(history, 'config.history', decode.array) ?? []).filter(decode.isObject),
  };
}

const LEFT_BEHIND: ReadonlySet<string> = new Set([
  'container',
  'container_config',
  'docker_version',
  'id',
  'parent',
  'Size',
]);
const LEFT_BEHIND_INSIDE: ReadonlySet<string> = new Set([
  'Hostname',
  'Domainname',
  'AttachStdin',
  'AttachStdout',
  'AttachStderr',
  'Tty',
  'OpenStdin',
  'StdinOnce',
  'Image',
  'NetworkDisabled',
  'MacAddress',
  'StopTimeout',
]);

export function withInner(config: Config, inner: Partial<Inner>): Config {
  return { ...config, inner: { ...config.inner, ...inner } };
}

export function withoutInner(config: Config, name: keyof Inner): Config {
  const { [name]: _, ...inner } = config.inner;
  return { ...config, inner };
}

/** Sets a variable; one that exists keeps its position. */
export function withEnv(config: Config, name: string, value: string): Config {
  const env = config.inner.Env ?? [];
  const at = env.findIndex((each) => each.split('=', 1)[0] === name);
  const entry = `${name}=${value}`;
  return withInner(config, { Env: at < 0 ? [...env, entry] : env.with(at, entry) });
}

export function envOf({ inner }: Config): ReadonlyMap<string, string> {
  return new Map(
    (inner.Env ?? []).map((each) => {
      const equals = each.indexOf('=');
      return equals < 0 ? ([each, ''] as const) : ([each.slice(0, equals), each.slice(equals + 1)] as const);
    }),
  );
}

export interface StageResult {
  /** ISO 8601. */
  readonly created: string;
  readonly diffIds: readonly Digest[];
}

/** Fields are in the order in which Go programs write them. Equal configurations give equal bytes. */
export function encodeConfig({ top, inner, history }: Config, { created, diffIds }: StageResult): Uint8Array {
  const { author, architecture, os, ...rest } = top;
  const known = Object.fromEntries(
    INNER_ORDER.filter((name) => isSaid(inner[name])).map((name) => [name, said(inner[name])]),
  );
  const others = Object.entries(inner).filter(
    ([name, value]) => !(name in known) && !INNER_ORDER.includes(name as keyof Inner) && isSaid(value),
  );
  const value = {
    ...(author !== undefined && { author }),
    architecture,
    config: { ...known, ...Object.fromEntries(others.sort(([a], [b]) => (a < b ? -1 : 1))) },
    created,
    history,
    os,
    rootfs: { type: 'layers', diff_ids: diffIds },
    ...Object.fromEntries(Object.entries(rest).sort(([a], [b]) => (a < b ? -1 : 1))),
  };
  return Buffer.from(JSON.stringify(value));
}

const INNER_ORDER: readonly (keyof Inner)[] = [
  'User',
  'ExposedPorts',
  'Env',
  'Entrypoint',
  'Cmd',
  'Volumes',
  'WorkingDir',
  'Labels',
  'StopSignal',
  'ArgsEscaped',
  'Healthcheck',
  'OnBuild',
  'Shell',
];

function isSaid(value: unknown): boolean {
  return value !== undefined && value !== null && value !== '' && value !== false;
}

/** Sorts the keys of maps in byte order, as Go does. */
function said(value: unknown): unknown {
  if (!decode.isObject(value)) return value;
  if ('Test' in value) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}

export function withPlatform(config: Config, platform: Platform): Config {
  return { ...config, top: { ...config.top, ...platformFields(platform) } };
}

function platformFields(platform: Platform): Fields {
  const { os, architecture, variant } = normalisePlatform(platform);
  return { architecture, os, ...(variant && { variant }) };
}
