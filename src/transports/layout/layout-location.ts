// Parses what follows `oci:` and `oci-archive:` (containers-transports(5)): a layout and which of its images. Pure.
import { type Digest, isDigest } from '../../oci/digest.ts';
import { parseIndex, splitPath } from '../path-details.ts';
import type { Refuse } from '../transport.ts';

/**
 * A path of a layout and one of its images: by the annotation `org.opencontainers.image.ref.name`, by index in index.json, or by digest. With none of these,
 * the only image.
 */
export interface LayoutLocation {
  readonly path: string;
  readonly ref?: string;
  /** Index in index.json, from 0. */
  readonly index?: number;
  readonly digest?: Digest;
}

/** The grammar of `org.opencontainers.image.ref.name` (OCI image specification 1.1, annotations.md). */
const COMPONENT = '[A-Za-z0-9]+(?:(?:[-._:@+]|--)[A-Za-z0-9]+)*';
const REF_NAME = new RegExp(`^${COMPONENT}(?:/${COMPONENT})*$`);

/** Errors: REFERENCE_INVALID. */
export function parseLayoutDetails(details: string, refuse: Refuse): LayoutLocation {
  // A directory with the name `DIR@sha256` is not supported: the text is taken as a digest.
  const byDigest = /^([^:]+?)(?::)?@(sha(?:256|512):[0-9a-f]+)$/.exec(details);
  if (byDigest?.[1] && isDigest(byDigest[2])) return { path: byDigest[1], digest: byDigest[2] };
  const { path, rest } = splitPath(details, refuse);
  if (rest === undefined || rest === '') return { path };
  if (rest.startsWith('@')) return { path, index: parseIndex(rest, refuse) };
  if (!REF_NAME.test(rest)) refuse(`[${rest}] cannot be a name in a layout`);
  return { path, ref: rest };
}

export function formatLayoutDetails({ path, ref, index, digest }: LayoutLocation): string {
  const at = digest ?? index;
  return `${path}${ref !== undefined ? `:${ref}` : at === undefined ? '' : `:@${at}`}`;
}

/** Whether the location names one image. */
export function namesOneImage({ ref, index, digest }: LayoutLocation): boolean {
  return ref !== undefined || index !== undefined || digest !== undefined;
}

/** Whether an image can be put at the location: new images can only have tags. */
export function canBePut({ index, digest }: LayoutLocation): boolean {
  return index === undefined && digest === undefined;
}
