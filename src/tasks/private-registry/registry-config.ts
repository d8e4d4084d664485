// The configuration of an embedded registry: `registry.toml` in its data directory, or the file that --config names. The server and all commands obey it.
import { ageOf } from '../../io/text/age.ts';
import { quote } from '../../io/text/quote.ts';
import { parseSize, SIZE_EXAMPLES } from '../../io/text/size.ts';
import type { Json } from '../../oci/decode.ts';
import { ImagesError } from '../../oci/errors.ts';
import { type ImageGlob, parseImageGlob } from '../../registry/policies/image-glob.ts';
import type { KeepRule } from '../../storage/collector/retention.ts';
import { type AccessConfig, type AccessSource, accessConfig } from './access-config.ts';
import { configFile } from './config-file.ts';
import { readAtRest } from './file-at-rest.ts';
import { type ListeningConfig, type ListeningSource, listeningConfig } from './listening-config.ts';
import { type ProxyConfig, proxyConfig } from './proxy-config.ts';
import { lineOfKey } from './toml-lines.ts';
import {
  each,
  type Fail,
  ifGiven,
  isTable,
  shown,
  type TomlMistake,
  type TomlPath,
  type TomlReading,
  tomlReading,
  trueOrFalse,
} from './toml-values.ts';
import { refuseUnknown } from './unknown-keys.ts';

export interface RegistryConfig extends ListeningConfig {
  /** In bytes, for all blobs and uploads together. */
  readonly quota?: number;
  /** How often the server collects garbage. */
  readonly gc?: CollectionSchedule;
  /** How often the server checks all of its store. */
  readonly scrub?: ScrubSchedule;
  /** Tags that do not move once they are there. */
  readonly immutable: readonly ImageGlob[];
  /** Which tags are kept; those that no rule names are. */
  readonly keep: readonly KeepRule[];
  /** Who may do what. */
  readonly access: AccessConfig;
  /** From where is fetched what is missing. */
  readonly proxy?: ProxyConfig;
  /** Everybody may read the metrics. */
  readonly openMetrics?: boolean;
}

export type CollectionSchedule = 'daily' | 'off';
export type ScrubSchedule = 'weekly' | 'off';

export const NO_CONFIG: RegistryConfig = { immutable: [], keep: [], access: {} };

/** Without the file: no rules; but a file that was named has to be there. Errors: CONFIG_INVALID, with file and line; FILE_UNREADABLE. */
export async function readRegistryToml(data: string, named?: string): Promise<RegistryConfig> {
  const file = configFile(data, named);
  const { text } = await readAtRest(file);
  return (await configReading({ file, isNamed: named !== undefined }, text)).config;
}

/** The file of a configuration, and how it was found. */
export interface ConfigSource extends AccessSource, ListeningSource {}

export interface ConfigReading {
  /** Without what is wrong. */
  readonly config: RegistryConfig;
  /** As it stands in the file; empty for what is no TOML. */
  readonly content: Json;
  /** In the order of their lines. */
  readonly mistakes: readonly TomlMistake[];
  /** The line of a key, from 1. */
  lineOf(path: TomlPath): number | undefined;
}

/** As `readRegistryToml`, of what was read: `undefined` if there is no such file. Without mistakes. */
export async function configReading(source: ConfigSource, text: string | undefined): Promise<ConfigReading> {
  if (text === undefined) {
    if (!source.isNamed) return { config: NO_CONFIG, content: {}, mistakes: [], lineOf: () => undefined };
    throw new ImagesError('FILE_UNREADABLE', `no such file [${source.file}]`, { hint: 'Check what --config says.' });
  }
  const reading = await readConfigText(source, text);
  const [first, ...more] = reading.mistakes;
  if (!first) return reading;
  if (more.length === 0) throw first.error;
  const { code, message, hint } = first.error;
  const others = `\`images config --check\` shows ${more.length} more.`;
  throw new ImagesError(code, message, { hint: hint === undefined ? others : `${hint} ${others}` });
}

/** Errors: CONFIG_INVALID, with file and line, for the first mistake. */
export async function parseRegistryToml(source: ConfigSource, text: string): Promise<RegistryConfig> {
  return (await configReading(source, text)).config;
}

/** As `configReading`, with mistakes. */
export async function readConfigText(source: ConfigSource, text: string): Promise<ConfigReading> {
  const { file } = source;
  const { parse } = await import('smol-toml');
  const lineOf = (path: TomlPath) => lineOfKey(text, path);
  let content: Json;
  try {
    content = parse(text);
  } catch (cause) {
    return { config: NO_CONFIG, content: {}, mistakes: [noToml(file, cause)], lineOf };
  }
  const reading = tomlReading(file, text);
  const { fail, attempt, mistakes } = reading;
  attempt(() => refuseUnknown(content, [], reading));
  const read = <T>(key: string, of: (value: unknown) => T) => attempt(() => ifGiven(content[key], of));
  const quota = read('quota', (value) => sizeOf(value, fail));
  const gc = read('gc', (value): CollectionSchedule => scheduleOf('gc', ['daily', 'off'], value, fail));
  const scrub = read('scrub', (value): ScrubSchedule => scheduleOf('scrub', ['weekly', 'off'], value, fail));
  const proxy = read('proxy', (value) => proxyConfig(value, reading));
  const openMetrics = read('metrics', (value) => metricsOpen(value, reading));
  const config: RegistryConfig = {
    ...listeningConfig(content, source, reading),
    ...(quota !== undefined && { quota }),
    ...(proxy && { proxy }),
    ...(openMetrics !== undefined && { openMetrics }),
    ...(gc !== undefined && { gc }),
    ...(scrub !== undefined && { scrub }),
    immutable: each(listOf(content, 'immutable', reading), reading, (value) => globOf(value, ['immutable'], fail)),
    keep: each(listOf(content, 'keep', reading), reading, (value, at) => keepRule(value, at, reading)),
    access: accessConfig(content, source, reading),
  };
  return { config, content, lineOf, mistakes: mistakes.toSorted((a, b) => (a.line ?? 0) - (b.line ?? 0)) };
}

function metricsOpen(value: unknown, reading: TomlReading): boolean | undefined {
  const { fail } = reading;
  if (!isTable(value))
    return fail(['metrics'], `metrics is not a table [${shown(value)}]`, 'Write open = true below a line [metrics].');
  refuseUnknown(value, ['metrics'], reading);
  return ifGiven(value.open, (open) => trueOrFalse(open, ['metrics', 'open'], fail));
}

function noToml(file: string, cause: unknown): TomlMistake {
  const line = cause instanceof Error && 'line' in cause && typeof cause.line === 'number' ? cause.line : undefined;
  const [what = ''] = (cause instanceof Error ? cause.message : '').split('\n');
  const where = line === undefined ? file : `${file}:${line}`;
  const error = new ImagesError('CONFIG_INVALID', `${where}: not TOML: ${quote(what)}`, {
    hint: 'Texts are in quotes: quota = "200 GiB".',
  });
  return { error, ...(line !== undefined && { line }) };
}

function keepRule(value: unknown, at: number, reading: TomlReading): KeepRule {
  const path = ['keep', at];
  const { fail } = reading;
  if (!isTable(value)) return fail(path, 'keep is not a list of tables', 'Begin each rule with a line [[keep]].');
  refuseUnknown(value, path, reading);
  if (value.images === undefined)
    return fail(
      path,
      'the rule does not say for which images it is',
      'Add images = "REPOSITORY:TAG", for example "ci/**:pr-*".',
    );
  const { newest } = value;
  if (newest !== undefined && (!Number.isSafeInteger(newest) || Number(newest) < 0))
    return fail([...path, 'newest'], 'newest is not a number of tags', 'Write a whole number: newest = 10.');
  const within = (key: 'pushed' | 'pulled') =>
    ifGiven(value[key], (age) => {
      const ms = typeof age === 'string' ? ageOf(age) : undefined;
      return (
        ms ??
        fail(
          [...path, key],
          `${key} is not an age [${shown(age)}]`,
          'Write, in quotes, numbers with w, d, h or m after them: 30d, 12h.',
        )
      );
    });
  const [pushedMs, pulledMs] = [within('pushed'), within('pulled')];
  return {
    images: globOf(value.images, [...path, 'images'], fail),
    ...(newest !== undefined && { newest: Number(newest) }),
    ...(pushedMs !== undefined && { pushedMs }),
    ...(pulledMs !== undefined && { pulledMs }),
  };
}

function globOf(value: unknown, path: TomlPath, fail: Fail): ImageGlob {
  const glob = typeof value === 'string' ? parseImageGlob(value) : undefined;
  return (
    glob ??
    fail(
      path,
      `not a pattern for images [${shown(value)}]`,
      'Write REPOSITORY or REPOSITORY:TAG with * and ?: "ci/**:pr-*".',
    )
  );
}

function sizeOf(value: unknown, fail: Fail): number {
  const bytes = typeof value === 'string' ? parseSize(value) : undefined;
  if (bytes !== undefined && bytes > 0) return bytes;
  return fail(['quota'], `quota is not a size [${shown(value)}]`, `Write, in quotes: ${SIZE_EXAMPLES}.`);
}

function scheduleOf<T extends string>(key: string, known: readonly [T, T], value: unknown, fail: Fail): T {
  const [usual, other] = known;
  const found = known.find((one) => one === value);
  return (
    found ?? fail([key], `${key} is neither "${usual}" nor "${other}" [${shown(value)}]`, `Write ${key} = "${usual}".`)
  );
}

function listOf(content: Json, key: string, { fail, attempt }: TomlReading): readonly unknown[] {
  const value = content[key] ?? [];
  if (Array.isArray(value)) return value;
  const hint = key === 'keep' ? 'Begin each rule with a line [[keep]].' : `Write ${key} = ["release/**:v*"].`;
  return attempt(() => fail([key], `${key} is not a list`, hint)) ?? [];
}
