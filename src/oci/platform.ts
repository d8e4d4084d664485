// Platforms: `os/arch[/variant]` (OCI image specification 1.1, image-index.md, "platform"), normalised as containerd does.
import * as decode from './decode.ts';
import { ImagesError } from './errors.ts';

export interface Platform {
  readonly os: string;
  readonly architecture: string;
  readonly variant?: string;
  readonly 'os.version'?: string;
  readonly 'os.features'?: readonly string[];
}

/** Which manifests of an index are wanted. */
export type PlatformChoice = 'all' | readonly Platform[];

const ARCHITECTURES: Readonly<Record<string, string>> = {
  x64: 'amd64',
  x86_64: 'amd64',
  'x86-64': 'amd64',
  aarch64: 'arm64',
  ia32: '386',
  i386: '386',
  armhf: 'arm',
  armel: 'arm',
  ppc64el: 'ppc64le',
};

export function decodePlatform(value: unknown, path: string): Platform {
  const fields = decode.object(value, path);
  const variant = decode.optional(fields.variant, `${path}.variant`, decode.string);
  const version = decode.optional(fields['os.version'], `${path}.os.version`, decode.string);
  const features = decode.optional(fields['os.features'], `${path}.os.features`, decode.strings);
  return {
    os: decode.optional(fields.os, `${path}.os`, decode.string) ?? '',
    architecture: decode.optional(fields.architecture, `${path}.architecture`, decode.string) ?? '',
    ...(variant && { variant }),
    ...(version && { 'os.version': version }),
    ...(features && { 'os.features': features }),
  };
}

/** Reads `os/arch[/variant]`. Accepts the architecture names of uname and Node as well. Errors: PLATFORM_INVALID. */
export function parsePlatform(text: string): Platform {
  const [os, architecture, variant, ...rest] = text.toLowerCase().split('/');
  if (!os || !architecture || variant === '' || rest.length > 0 || !/^[a-z0-9_./-]+$/.test(text.toLowerCase())) {
    throw new ImagesError('PLATFORM_INVALID', `not a platform [${text}]`, {
      hint: 'Write os/arch or os/arch/variant, for example linux/amd64 or linux/arm/v7.',
    });
  }
  return normalisePlatform({ os, architecture, ...(variant && { variant }) });
}

/** Reads `all`, or platforms separated by commas. Errors: PLATFORM_INVALID. */
export function parsePlatformChoice(text: string): PlatformChoice {
  return text === 'all' ? 'all' : text.split(',').map(parsePlatform);
}

/** `linux/arm64/v8`, as `parsePlatform` takes it. */
export function formatPlatform(platform: Platform): string {
  const { os, architecture, variant } = platform;
  return variant ? `${os}/${architecture}/${variant}` : `${os}/${architecture}`;
}

/** Whether the platform is really stated. Images may leave it out, and attestations say `unknown`. */
export function statesPlatform({ os, architecture }: Platform): boolean {
  return os !== '' && architecture !== '' && os !== 'unknown';
}

/** One spelling for each platform: arm64 without a variant means v8 and is written without it, arm without a variant is v7. */
export function normalisePlatform(platform: Platform): Platform {
  const architecture = ARCHITECTURES[platform.architecture] ?? platform.architecture;
  const { variant: given, ...rest } = platform;
  const variant =
    architecture === 'arm' ? (given ?? 'v7') : architecture === 'arm64' && given === 'v8' ? undefined : given;
  return { ...rest, architecture, ...(variant && { variant }) };
}

/**
 * How well a child's platform suits a wanted one: 0 not at all, more is better.
 * An older variant of the same architecture suits (arm/v6 on v7, amd64 on amd64/v3), a newer one does not.
 */
export function platformSuits(child: Platform, wanted: Platform): number {
  const a = normalisePlatform(child);
  const b = normalisePlatform(wanted);
  if (a.os !== b.os || a.architecture !== b.architecture) return 0;
  if (a.variant === b.variant) return 100;
  const level = variantLevel(a);
  return level <= variantLevel(b) ? 1 + level : 0;
}

/** Whether an image, by the platform in its config, runs on the wanted platform. Old configs have no variant: then any variant is assumed. */
export function isImageFor(own: Platform, wanted: Platform): boolean {
  const { variant: _, ...anyVariant } = wanted;
  return platformSuits(own, own.variant === undefined ? anyVariant : wanted) > 0;
}

function variantLevel(platform: Platform): number {
  const level = /^v(\d+)/.exec(platform.variant ?? '')?.[1];
  return level === undefined ? (platform.architecture === 'arm64' ? 8 : 1) : Number(level);
}
