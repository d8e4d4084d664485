// Image configurations (OCI image specification 1.1, config.md; Docker's are the same in what is read here).
import * as decode from './decode.ts';
import { type Digest, isDigest } from './digest.ts';
import { ImagesError } from './errors.ts';
import type { Platform } from './platform.ts';

export interface HistoryEntry {
  readonly created?: string;
  readonly created_by?: string;
  readonly author?: string;
  readonly comment?: string;
  readonly empty_layer?: boolean;
}

export interface ImageConfig {
  readonly platform: Platform;
  readonly created?: string;
  readonly author?: string;
  readonly dockerVersion?: string;
  readonly env: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
  readonly diffIds: readonly Digest[];
  readonly history: readonly HistoryEntry[];
}

/** The config blob of an image. Errors: MANIFEST_INVALID. */
export function decodeConfig(bytes: Uint8Array): ImageConfig {
  const fields = decode.object(decode.parseJson(bytes, 'config'), 'config');
  const inner = decode.optional(fields.config, 'config.config', decode.object) ?? {};
  const rootfs = decode.optional(fields.rootfs, 'config.rootfs', decode.object) ?? {};
  const text = (name: string) => decode.optional(fields[name], `config.${name}`, decode.string);
  const created = text('created');
  const author = text('author');
  const dockerVersion = text('docker_version');
  const variant = text('variant');
  return {
    platform: { os: text('os') ?? '', architecture: text('architecture') ?? '', ...(variant && { variant }) },
    ...(created && { created }),
    ...(author && { author }),
    ...(dockerVersion && { dockerVersion }),
    env: decode.optional(inner.Env, 'config.config.Env', decode.strings) ?? [],
    labels: decode.optional(inner.Labels, 'config.config.Labels', decode.stringMap) ?? {},
    diffIds: (decode.optional(rootfs.diff_ids, 'config.rootfs.diff_ids', decode.array) ?? []).map(decodeDiffId),
    history: (decode.optional(fields.history, 'config.history', decode.array) ?? []).filter(decode.isObject),
  };
}

/** Reads one diffID. An invalid one is an error and not skipped: the diffIDs after it would then belong to the wrong layers. */
function decodeDiffId(value: unknown, at: number): Digest {
  const text = decode.string(value, `config.rootfs.diff_ids[${at}]`);
  if (isDigest(text)) return text;
  throw new ImagesError('MANIFEST_INVALID', `config.rootfs.diff_ids[${at}] is not a digest [${text.slice(0, 80)}]`);
}
