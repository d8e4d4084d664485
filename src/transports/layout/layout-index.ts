// Decodes a layout's index.json and selects the wanted images (OCI image specification 1.1, image-layout.md, "index.json file"). Pure.
import * as decode from '../../oci/decode.ts';
import { type Descriptor, decodeDescriptor } from '../../oci/descriptor.ts';
import type { Digest } from '../../oci/digest.ts';
import { ImagesError, isImagesError } from '../../oci/errors.ts';
import { formatPlatform } from '../../oci/platform.ts';
import { formatReference, fullReference, tryParseReference } from '../../oci/reference.ts';
import type { LayoutLocation } from './layout-location.ts';

export const REF_NAME = 'org.opencontainers.image.ref.name';
/** The annotation in which containerd, Docker and this program keep the full name. */
export const IMAGE_NAME = 'io.containerd.image.name';

/** Errors: LOCATION_INVALID. `label` names the layout for messages. */
export function decodeLayoutIndex(bytes: Uint8Array, label: string): readonly Descriptor[] {
  try {
    const fields = decode.object(decode.parseJson(bytes, 'index.json'), 'index.json');
    const manifests = decode.optional(fields.manifests, 'index.json.manifests', decode.array) ?? [];
    return manifests.map((entry, at) => decodeDescriptor(entry, `index.json.manifests[${at}]`));
  } catch (error) {
    if (!isImagesError(error, 'MANIFEST_INVALID')) throw error;
    throw new ImagesError('LOCATION_INVALID', `${error.message} [${label}]`, { cause: error });
  }
}

/** The entries of the wanted image: one, or several if one name stands for several platforms. Errors: MANIFEST_UNKNOWN, with the images that are there. */
export function selectEntries(
  entries: readonly Descriptor[],
  wanted: Omit<LayoutLocation, 'path'>,
  label: string,
): readonly Descriptor[] {
  const fail = (why: string) => unclear(entries, why, label);
  if (wanted.index !== undefined) {
    const entry = entries[wanted.index];
    if (!entry) throw fail(`there is no image @${wanted.index}`);
    return [entry];
  }
  if (wanted.ref !== undefined) {
    const found = byName(entries, wanted.ref);
    const chosen = oneImage(found);
    if (!chosen) throw fail(found.length > 0 ? `[${wanted.ref}] are several images` : `there is no [${wanted.ref}]`);
    return chosen;
  }
  const named = entries.filter((entry) => namesOf(entry).some((name) => !isAttachedTag(name)));
  const chosen = oneImage(entries) ?? oneImage(named);
  if (!chosen) throw fail(entries.length > 0 ? 'there are several images' : 'there is no image');
  return chosen;
}

export function entryOf(entries: readonly Descriptor[], digest: Digest): Descriptor | undefined {
  return entries.find((entry) => entry.digest === digest);
}

/** The names of an entry, the full name first. */
export function namesOf(entry: Descriptor): readonly string[] {
  return [entry.annotations?.[IMAGE_NAME], entry.annotations?.[REF_NAME]].filter((name) => name !== undefined);
}

/** Whether a tag leads to a referrer: cosign's (`sha256-HEX.sig`), or the fallback tag of registries without referrers API (`sha256-HEX`). */
export function isAttachedTag(name: string): boolean {
  return /(?:^|:)sha(?:256|512)-[0-9a-f]{64,128}(?:\.\w+)?$/.test(name);
}

/** The entry with this tag in its repository. A bare name is its own tag. */
export function byTag(entries: readonly Descriptor[], tag: string): Descriptor | undefined {
  return entries.find((entry) => namesOf(entry).some((name) => name === tag || name.endsWith(`:${tag}`)));
}

/** The entries with exactly this name, else those with the name that Docker would complete it to. */
function byName(entries: readonly Descriptor[], name: string): readonly Descriptor[] {
  const full = completedName(name);
  const ways: readonly ((entry: Descriptor) => boolean)[] = [
    (entry) => entry.annotations?.[REF_NAME] === name,
    (entry) => entry.annotations?.[IMAGE_NAME] === name,
    (entry) => full !== undefined && namesOf(entry).some((own) => completedName(own) === full),
  ];
  for (const way of ways) {
    const found = entries.filter(way);
    if (found.length > 0) return found;
  }
  return [];
}

/** The full name to which Docker would complete it. Returns `undefined` if the text is not a name. */
export function completedName(name: string): string | undefined {
  const reference = tryParseReference(name);
  return reference && formatReference(fullReference(reference));
}

function oneImage(entries: readonly Descriptor[]): readonly Descriptor[] | undefined {
  const distinct = [...new Map(entries.map((entry) => [entry.digest, entry])).values()];
  if (distinct.length < 2) return distinct.length === 1 ? distinct : undefined;
  const names = new Set(distinct.map((entry) => namesOf(entry).join(' ')));
  const platforms = new Set(distinct.map(({ platform }) => platform && formatPlatform(platform)));
  return names.size === 1 && !platforms.has(undefined) && platforms.size === distinct.length ? distinct : undefined;
}

/** All texts by which an entry can be named; its tag only if the full name does not end with it. */
function wordsFor(entry: Descriptor, at: number): readonly string[] {
  const [first = `@${at}`, tag] = namesOf(entry);
  return tag === undefined || first.endsWith(`:${tag}`) || first === tag ? [first] : [first, tag];
}

function unclear(entries: readonly Descriptor[], why: string, label: string): ImagesError {
  const listed = entries.flatMap(wordsFor).filter((name) => !isAttachedTag(name));
  const some = listed.slice(0, 20).join(', ');
  return new ImagesError('MANIFEST_UNKNOWN', `${why} [${label}]`, {
    hint: listed.length > 0 ? `It has ${some}${listed.length > 20 ? ', …' : ''}.` : 'It is empty.',
  });
}
