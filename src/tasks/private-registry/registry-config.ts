// The configuration of an embedded registry: `registry.toml` in its data directory, or the file that --config names. The server and all commands obey it.
import { ageOf } from '../../io/text/age.ts';
import { quote } from '../../io/text/quote.ts';
import { parseSize, SIZE_EXAMPLES } from '../../io/text/size.ts';
import { isObject, type Json } from '../../oci/decode.ts';
import { ImagesError } from '../../oci/errors.ts';
import { type ImageGlob, parseImageGlob } from '../../registry/policies/image-glob.ts';
import type { KeepRule } from '../../storage/collector/retention.ts';
import { ACCESS_KEYS, type AccessConfig, type AccessSource, accessConfig } from './access-config.ts';
import { configFile } from './config-file.ts';
import { readAtRest } from './file-at-rest.ts';
import { type ProxyConfig, proxyConfig } from './proxy-config.ts';
import { lineOfKey } from './toml-lines.ts';
import { type Fail, ifGiven, refuseUnknown, shown, type TomlPath } from './toml-values.ts';

export interface RegistryConfig {
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
}

export type CollectionSchedule = 'daily' | 'off';
export type ScrubSchedule = 'weekly' | 'off';

export const NO_CONFIG: RegistryConfig = { immutable: [], keep: [], access: {} };

/** Without the file: no rules; but a file that was named has to be there. Errors: CONFIG_INVALID, with file and line; FILE_UNREADABLE. */
export async function readRegistryToml(data: string, named?: string): Promise<RegistryConfig> {
  const file = configFile(data, named);
  const { text } = await readAtRest(file);
  return await registryConfig({ file, text, isNamed: named !== undefined });
}

interface ConfigText extends AccessSource {
  /** `undefined` if there is no such file. */
  readonly text: string | undefined;
  /** By --config. */
  readonly isNamed: boolean;
}

/** As `readRegistryToml`, of what was read. */
export async function registryConfig({ text, isNamed, ...source }: ConfigText): Promise<RegistryConfig> {
  if (text !== undefined) return await parseRegistryToml(source, text);
  if (!isNamed) return NO_CONFIG;
  throw new ImagesError('FILE_UNREADABLE', `no such file [${source.file}]`, { hint: 'Check what --config says.' });
}

/** Errors: CONFIG_INVALID, with file and line. */
export async function parseRegistryToml(source: AccessSource, text: string): Promise<RegistryConfig> {
  const { file } = source;
  const { parse } = await import('smol-toml');
  let content: Json;
  try {
    content = parse(text);
  } catch (cause) {
    const line = cause instanceof Error && 'line' in cause ? `:${cause.line}` : '';
    const [what = ''] = (cause instanceof Error ? cause.message : '').split('\n');
    throw new ImagesError('CONFIG_INVALID', `${file}${line}: not TOML: ${quote(what)}`, {
      hint: 'Texts are in quotes: quota = "200 GiB".',
    });
  }
  const fail: Fail = (path, what, hint) => {
    const line = lineOfKey(text, path);
    throw new ImagesError('CONFIG_INVALID', `${file}${line === undefined ? '' : `:${line}`}: ${what}`, { hint });
  };
  refuseUnknown(content, [], ['quota', 'gc', 'scrub', 'immutable', 'keep', 'proxy', ...ACCESS_KEYS], fail);
  const quota = ifGiven(content.quota, (value) => sizeOf(value, fail));
  const gc = ifGiven(content.gc, (value): CollectionSchedule => scheduleOf('gc', ['daily', 'off'], value, fail));
  const scrub = ifGiven(content.scrub, (value): ScrubSchedule => scheduleOf('scrub', ['weekly', 'off'], value, fail));
  const proxy = ifGiven(content.proxy, (value) => proxyConfig(value, fail));
  return {
    ...(quota !== undefined && { quota }),
    ...(proxy && { proxy }),
    ...(gc !== undefined && { gc }),
    ...(scrub !== undefined && { scrub }),
    immutable: listOf(content, 'immutable', fail).map((value) => globOf(value, ['immutable'], fail)),
    keep: listOf(content, 'keep', fail).map((value, at) => keepRule(value, at, fail)),
    access: accessConfig(content, source, fail),
  };
}

const KEEP_KEYS = ['images', 'newest', 'pushed', 'pulled'];

function keepRule(value: unknown, at: number, fail: Fail): KeepRule {
  const path = ['keep', at];
  if (!isObject(value)) return fail(path, 'keep is not a list of tables', 'Begin each rule with a line [[keep]].');
  refuseUnknown(value, path, KEEP_KEYS, fail);
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

function listOf(content: Json, key: string, fail: Fail): readonly unknown[] {
  const value = content[key] ?? [];
  if (Array.isArray(value)) return value;
  const hint = key === 'keep' ? 'Begin each rule with a line [[keep]].' : `Write ${key} = ["release/**:v*"].`;
  return fail([key], `${key} is not a list`, hint);
}
