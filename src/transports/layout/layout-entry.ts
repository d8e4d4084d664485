// How an image stands in a layout's index.json, and which older entry it replaces. Pure.
import * as decode from '../../oci/decode.ts';
import type { Descriptor } from '../../oci/descriptor.ts';
import { decodeManifest, manifestDescriptor, type RawManifest } from '../../oci/manifest.ts';
import { DEFAULT_TAG, formatReference, type Reference } from '../../oci/reference.ts';
import { IMAGE_NAME, isAttachedTag, REF_NAME } from './layout-index.ts';

export interface EntryNames {
  readonly name?: Reference;
  /** Stands in the place of the name's tag, except for what only points to the image. */
  readonly ref?: string;
  /** Beside the names. */
  readonly annotations?: Readonly<Record<string, string>>;
}

/** With the annotations by which tools find it: the tag (or `ref`), and the full name where the host is known. */
export function layoutEntry(manifest: RawManifest, { name, ref, annotations: more }: EntryNames): Descriptor {
  const { artifactType } = decodeManifest(manifest);
  const tag = name?.tag ?? (name && !name.digest ? DEFAULT_TAG : undefined);
  const refName = tag !== undefined && isAttachedTag(tag) ? tag : (ref ?? tag);
  const full = name?.host !== undefined && tag !== undefined ? formatReference({ ...bare(name), tag }) : undefined;
  const annotations = { ...(full && { [IMAGE_NAME]: full }), ...(refName && { [REF_NAME]: refName }), ...more };
  return {
    ...manifestDescriptor(manifest),
    ...(artifactType && { artifactType }),
    ...(Object.keys(annotations).length > 0 && { annotations }),
  };
}

/**
 * The list with the entry: in the place of that with the same names; of the same manifest without a name; or at its end. All other
 * entries stay as they are. An older entry that has only the short name, as skopeo writes it, is the same image. What is called `ref` is
 * one image whatever its full name.
 */
export function withEntry(listed: readonly unknown[], entry: Descriptor, ref?: string): readonly unknown[] {
  const [tag, full] = [entry.annotations?.[REF_NAME], entry.annotations?.[IMAGE_NAME]];
  const named = tag !== undefined || full !== undefined;
  if (!named && listed.some((other) => digestOf(other) === entry.digest)) return listed;
  const isReplaced = (other: unknown): boolean => {
    const [otherRef, otherFull] = [annotation(other, REF_NAME), annotation(other, IMAGE_NAME)];
    if (otherRef === undefined && otherFull === undefined) return digestOf(other) === entry.digest;
    if (otherRef !== tag) return false;
    return tag === ref || otherFull === full || otherFull === undefined || full === undefined;
  };
  const at = listed.findIndex(isReplaced);
  if (at < 0) return [...listed, entry];
  return listed.flatMap((other, place) => (place === at ? [entry] : isReplaced(other) ? [] : [other]));
}

function bare({ host, path }: Reference): Reference {
  return { ...(host && { host }), path };
}

function digestOf(entry: unknown): unknown {
  return decode.isObject(entry) ? entry.digest : undefined;
}

function annotation(entry: unknown, key: string): string | undefined {
  const annotations = decode.isObject(entry) ? entry.annotations : undefined;
  const value = decode.isObject(annotations) ? annotations[key] : undefined;
  return typeof value === 'string' ? value : undefined;
}
