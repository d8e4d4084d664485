// What a layout's index.json lists, and which of it is meant (OCI image specification 1.1, image-layout.md, "index.json file"). Pure.
import * as decode from '../../oci/decode.ts';
import { type Descriptor, decodeDescriptor } from '../../oci/descriptor.ts';
import type { Digest } from '../../oci/digest.ts';
import { ImagesError, isImagesError } from '../../oci/errors.ts';
import { formatPlatform } from '../../oci/platform.ts';
import { formatReference, fullReference, tryParseReference } from '../../oci/reference.ts';
import type { LayoutLocation } from './layout-location.ts';

export const REF_NAME = 'org.opencontainers.image.ref.name';
/** containerd's, Docker's and ours: the full name. */
export const IMAGE_NAME = 'io.containerd.image.name';

/** Errors: PLACE_INVALID. `label` says whose index it is. */
export function decodeLayoutIndex(bytes: Uint8Array, label: string): readonly Descriptor[] {
  try {
    const fields = decode.object(decode.parseJson(bytes, 'index.json'), 'index.json');
    const manifests = decode.optional(fields.manifests, 'index.json.manifests', decode.array) ?? [];
    return manifests.map((entry, at) => decodeDescriptor(entry, `index.json.manifests[${at}]`));
  } catch (error) {
    if (!isImagesError(error, 'MANIFEST_INVALID')) throw error;
    throw new ImagesError('PLACE_INVALID', `${error.message} [${label}]`, { cause: error });
  }
}

/** The descriptors that are meant: one, or where one name stands for several platforms, those. Errors: MANIFEST_UNKNOWN, saying what is there. */
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

/** What an entry is called: the full name first. */
export function namesOf(entry: Descriptor): readonly string[] {
  return [entry.annotations?.[IMAGE_NAME], entry.annotations?.[REF_NAME]].filter((name) => name !== undefined);
}

/** Tags under which something points to an image: cosign's (`sha256-HEX.sig`), and those of registries without referrers (`sha256-HEX`). */
export function isAttachedTag(name: string): boolean {
  return /(?:^|:)sha(?:256|512)-[0-9a-f]{64,128}(?:\.\w+)?$/.test(name);
}

/** The entries whose tag in their repository is this one: of a bare name the name itself. */
export function byTag(entries: readonly Descriptor[], tag: string): Descriptor | undefined {
  return entries.find((entry) => namesOf(entry).some((name) => name === tag || name.endsWith(`:${tag}`)));
}

/** As it stands, else as Docker would complete it. */
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

/** As Docker would complete it; `undefined` for what is no name. */
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

/** All by which it can be named; its tag only where the full name does not end so. */
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
