// A cache of base images from registries: the state of each when its registry was last asked. A build can then be repeated at once and offline. It is stored beside the build
// cache.
import { createHash } from 'node:crypto';
import * as decode from '../../oci/decode.ts';
import { type Descriptor, decodeDescriptor } from '../../oci/descriptor.ts';
import { type Digest, digestOf, isDigest } from '../../oci/digest.ts';
import { formatPlatform, type Platform } from '../../oci/platform.ts';
import type { BuildSteps } from '../../storage/builds/build-steps.ts';

export interface RememberedBase {
  /** The digest of its manifest. If the name means an index: of the manifest for the platform. */
  readonly digest: Digest;
  readonly config: Uint8Array;
  readonly layers: readonly { readonly descriptor: Descriptor; readonly diffId?: Digest }[];
}

export interface RememberedBases {
  /** `name` is a full name. */
  find(name: string, platform: Platform): Promise<RememberedBase | undefined>;
  keep(name: string, platform: Platform, base: RememberedBase): Promise<void>;
}

export function rememberedBases(steps: BuildSteps): RememberedBases {
  return {
    find: async (name, platform) => {
      const bytes = await steps.get(keyOf(name, platform));
      return bytes && decodeBase(bytes);
    },
    keep: async (name, platform, { digest, config, layers }) => {
      const said = { digest, config: Buffer.from(config).toString('base64'), sha256: digestOf(config), layers };
      await steps.put(keyOf(name, platform), Buffer.from(JSON.stringify(said)));
    },
  };
}

function keyOf(name: string, platform: Platform): string {
  return createHash('sha256')
    .update(JSON.stringify(['base', 2, name, formatPlatform(platform)]))
    .digest('hex');
}

/** Returns `undefined` for a damaged entry: then the registry is asked again. */
function decodeBase(bytes: Uint8Array): RememberedBase | undefined {
  try {
    const fields = decode.object(decode.parseJson(bytes, 'base'), 'base');
    const layers = decode.array(fields.layers, 'base.layers').map((value) => {
      const layer = decode.object(value, 'layer');
      const diffId = decode.optional(layer.diffId, 'layer.diffId', digest);
      return { descriptor: decodeDescriptor(layer.descriptor, 'layer.descriptor'), ...(diffId && { diffId }) };
    });
    const config = Buffer.from(decode.string(fields.config, 'base.config'), 'base64');
    if (digestOf(config) !== fields.sha256) return undefined;
    return { digest: digest(fields.digest, 'base.digest'), config, layers };
  } catch {
    return undefined;
  }
}

function digest(value: unknown, path: string): Digest {
  const text = decode.string(value, path);
  if (isDigest(text)) return text;
  throw new Error(`no digest [${path}]`);
}
