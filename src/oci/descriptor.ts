// Content descriptors (OCI image specification 1.1, descriptor.md).
import * as decode from './decode.ts';
import { type Digest, isDigest } from './digest.ts';
import { ImagesError } from './errors.ts';
import { decodePlatform, type Platform } from './platform.ts';

export interface Descriptor {
  readonly mediaType: string;
  readonly digest: Digest;
  /** In bytes. */
  readonly size: number;
  readonly urls?: readonly string[];
  readonly annotations?: Readonly<Record<string, string>>;
  readonly platform?: Platform;
  readonly artifactType?: string;
  /** The content itself, base64. */
  readonly data?: string;
}

/** Errors: MANIFEST_INVALID, also for a bad digest: it is the document that is wrong. `path` says where in the document the value stands. */
export function decodeDescriptor(value: unknown, path: string): Descriptor {
  const fields = decode.object(value, path);
  const digest = decode.string(fields.digest, `${path}.digest`);
  if (!isDigest(digest))
    throw new ImagesError('MANIFEST_INVALID', `${path}.digest is not a digest [${digest.slice(0, 200)}]`);
  const urls = decode.optional(fields.urls, `${path}.urls`, decode.strings);
  const annotations = decode.optional(fields.annotations, `${path}.annotations`, decode.stringMap);
  const platform = decode.optional(fields.platform, `${path}.platform`, decodePlatform);
  const artifactType = decode.optional(fields.artifactType, `${path}.artifactType`, decode.string);
  const data = decode.optional(fields.data, `${path}.data`, decode.string);
  return {
    mediaType: decode.optional(fields.mediaType, `${path}.mediaType`, decode.string) ?? '',
    digest,
    size: decode.size(fields.size, `${path}.size`),
    ...(urls && { urls }),
    ...(annotations && { annotations }),
    ...(platform && { platform }),
    ...(artifactType && { artifactType }),
    ...(data !== undefined && { data }),
  };
}
