// What a registry goes by: each key of its configuration, with its value and where that comes from.
import type { Json } from '../../oci/decode.ts';
import { CONFIG_KEYS, type ConfigKey } from './config-keys.ts';
import type { ConfigReading, RegistryConfig } from './registry-config.ts';
import { tlsSettings } from './served-options.ts';
import type { ServingOptions } from './serving-options.ts';
import { isTable } from './toml-values.ts';

export interface EffectiveSetting {
  /** As in docs/configuration.md: `proxy.ttl`. */
  readonly key: string;
  /** As it is written in the file; absent if nothing is set. */
  readonly value?: unknown;
  /** Without a value: what that means, in words. */
  readonly means?: string;
  readonly from: 'default' | 'file' | 'option';
  /** Where it stands in the file, from 1. Beside an option, what the file adds to it. */
  readonly line?: number;
  /** Its name, with `--`. */
  readonly option?: string;
}

/** No value is a secret: passwords and keys are in files of their own, of which only the names are here. */
export function effectiveSettings(options: ServingOptions, reading: ConfigReading): readonly EffectiveSetting[] {
  // Who says which certificates there are replaces all that the file says of them.
  const tls = tlsSettings(options, reading.config.tls);
  return CONFIG_KEYS.map((known) => {
    const said = optionValue(known, options);
    const { option, key } = known;
    const isReplaced =
      option !== undefined && key.startsWith('tls.') && tls[option.field as keyof typeof tls] === undefined;
    const written = isReplaced ? undefined : fileValue(key, reading);
    const line = written === undefined ? undefined : lineOf(key, reading);
    const inFile = line === undefined ? {} : { line };
    if (said !== undefined && option) {
      const adds = key === 'proxy.hosts' && Array.isArray(written) && Array.isArray(said);
      const value = adds ? [...new Set([...said, ...written])] : said;
      return { key, value, from: 'option', option: `--${option.name}`, ...(adds && inFile) };
    }
    if (written !== undefined) return { key, value: written, from: 'file', ...inFile };
    return { key, from: 'default', ...known.usual };
  });
}

/** Whether two say the same, wherever it comes from. */
export function isSameSetting(one: EffectiveSetting | undefined, other: EffectiveSetting | undefined): boolean {
  return JSON.stringify(one?.value) === JSON.stringify(other?.value);
}

function optionValue({ option }: ConfigKey, options: ServingOptions): unknown {
  const value = option && options[option.field];
  if (value === undefined || value === false) return undefined;
  if (Array.isArray(value) && value.length === 0 && option?.kind !== 'hosts') return undefined;
  // --tls=auto is tls.auto = true.
  return option?.field === 'tls' ? true : value;
}

/** As it is meant: files by their absolute names, and short forms as the long one. */
function fileValue(key: string, { config, content }: ConfigReading): unknown {
  const read = AS_READ[key];
  if (read) return read(config);
  const [first = '', second] = key.split('.');
  const value = content[first];
  if (second === undefined) return value;
  return isTable(value) ? (value as Json)[second] : undefined;
}

const AS_READ: Readonly<Record<string, (config: RegistryConfig) => unknown>> = {
  listen: ({ listen }) => listen,
  data: ({ data }) => data,
  'tls.auto': ({ tls }) => (tls?.tls === 'auto' ? true : undefined),
  'tls.cert': ({ tls }) => tls?.tlsCertificate,
  'tls.key': ({ tls }) => tls?.tlsKey,
  'tls.names': ({ tls }) => tls?.tlsNames,
  auth: ({ access }) => (access.htpasswd === undefined ? undefined : `htpasswd:${access.htpasswd}`),
  'proxy.hosts': ({ proxy }) => proxy?.hosts,
};

function lineOf(key: string, { lineOf: line }: ConfigReading): number | undefined {
  const path = key.split('.');
  // tls = "auto", proxy = true
  return line(path) ?? line(path.slice(0, 1));
}
