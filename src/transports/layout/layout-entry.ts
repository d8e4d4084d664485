// The entry of an image in a layout's index.json, and which older entry it replaces. Pure.
import * as decode from '../../oci/decode.ts';
import type { Descriptor } from '../../oci/descriptor.ts';
import { decodeManifest, manifestDescriptor, type RawManifest } from '../../oci/manifest.ts';
import { DEFAULT_TAG, formatReference, type Reference } from '../../oci/reference.ts';
import { completedName, IMAGE_NAME, isAttachedTag, REF_NAME } from './layout-index.ts';

export interface EntryNames {
  readonly name?: Reference;
  /** Replaces the tag of the name, except for signatures and other referrers. */
  readonly ref?: string;
  /** Annotations in addition to the names. */
  readonly annotations?: Readonly<Record<string, string>>;
}

/** The entry with the annotations by which tools find it: the tag (or `ref`), and the full name if the host is known. */
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

/** The entries of an index.json. The time to put one does not depend on their number. */
export interface LayoutEntries {
  /**
   * Replaces the entry with the same names, or the entry of the same manifest without a name; else appends. All other entries are kept. An older entry with
   * only the short name, as skopeo writes it, counts as the same image. Entries named `ref` are the same image, whatever their full names.
   */
  put(entry: Descriptor, ref?: string): void;
  /** Drops the entries that any tool reads as this full name. */
  drop(full: string): void;
  list(): readonly unknown[];
}

interface KeyedEntry {
  readonly entry: unknown;
  /** The keys by which the entry is found. */
  readonly keys: readonly string[];
}

export function layoutEntries(listed: readonly unknown[]): LayoutEntries {
  /** Entries in their order: a new entry takes the position of the one that it replaces. */
  const entries = new Map<number, KeyedEntry>();
  const byKey = new Map<string, Set<number>>();
  let next = 0;

  function set(at: number, entry: unknown): void {
    remove(at);
    const keys = keysOf(entry);
    entries.set(at, { entry, keys });
    for (const one of keys) byKey.set(one, (byKey.get(one) ?? new Set()).add(at));
  }

  function remove(at: number): void {
    for (const one of entries.get(at)?.keys ?? []) {
      const found = byKey.get(one);
      found?.delete(at);
      if (found?.size === 0) byKey.delete(one);
    }
  }

  const find = (...keys: readonly string[]): readonly number[] => [
    ...new Set(keys.flatMap((one) => [...(byKey.get(one) ?? [])])),
  ];

  for (const entry of listed) set(next++, entry);

  return {
    put(entry, ref) {
      const [tag, full] = [entry.annotations?.[REF_NAME], entry.annotations?.[IMAGE_NAME]];
      const isNamed = tag !== undefined || full !== undefined;
      if (!isNamed && byKey.has(key('digest', entry.digest))) return;
      const isAnyFull = full === undefined || (ref !== undefined && tag === ref);
      const sameName = isAnyFull ? [key('tag', tag)] : [key('names', tag, full), key('names', tag, undefined)];
      const replaced = isNamed ? find(key('unnamed', entry.digest), ...sameName) : [];
      const at = replaced.length > 0 ? replaced.reduce((a, b) => Math.min(a, b)) : next++;
      for (const other of replaced.filter((one) => one !== at)) {
        remove(other);
        entries.delete(other);
      }
      set(at, entry);
    },
    drop(full) {
      for (const at of find(key('called', full))) {
        remove(at);
        entries.delete(at);
      }
    },
    list: () => [...entries.values()].map(({ entry }) => entry),
  };
}

function keysOf(entry: unknown): readonly string[] {
  const digest = decode.isObject(entry) ? entry.digest : undefined;
  const [tag, full] = [annotation(entry, REF_NAME), annotation(entry, IMAGE_NAME)];
  const names = [tag, full].filter((name) => name !== undefined);
  const called = new Set(names.flatMap((name) => completedName(name) ?? []));
  return [
    key('digest', digest),
    ...(names.length > 0 ? [key('tag', tag), key('names', tag, full)] : [key('unnamed', digest)]),
    ...[...called].map((name) => key('called', name)),
  ];
}

function key(...parts: readonly unknown[]): string {
  return parts.map((part) => JSON.stringify(part) ?? '').join(' ');
}

function bare({ host, path }: Reference): Reference {
  return { ...(host && { host }), path };
}

function annotation(entry: unknown, key: string): string | undefined {
  const annotations = decode.isObject(entry) ? entry.annotations : undefined;
  const value = decode.isObject(annotations) ? annotations[key] : undefined;
  return typeof value === 'string' ? value : undefined;
}
