// manifest.json of a docker-archive (moby, image/tarexport): which files make up each image. Pure.
import { hasFileSystem } from '../../oci/agreement.ts';
import * as decode from '../../oci/decode.ts';
import type { Descriptor } from '../../oci/descriptor.ts';
import { digestHex } from '../../oci/digest.ts';
import { ImagesError } from '../../oci/errors.ts';
import { decodeManifest, type ImageManifest, isElsewhere, type RawManifest } from '../../oci/manifest.ts';
import { isConfigType } from '../../oci/media-types.ts';
import { formatReference, fullReference, type Reference } from '../../oci/reference.ts';
import type { SmallFile } from '../archive/archive-format.ts';
import type { PlannedParts } from '../contract.ts';
import { layoutEntry } from '../layout/layout-entry.ts';
import { blobPath } from '../layout/layout-files.ts';
import { completedName } from '../layout/layout-index.ts';

export const MANIFEST_FILE = 'manifest.json';
/** An older list of names and tags, with the ids of layers. */
export const REPOSITORIES_FILE = 'repositories';

export interface DockerItem {
  /** Paths in the archive. */
  readonly config: string;
  readonly layers: readonly string[];
  readonly repoTags: readonly string[];
}

/** Errors: MANIFEST_INVALID. */
export function decodeDockerManifest(bytes: Uint8Array): readonly DockerItem[] {
  return decode.array(decode.parseJson(bytes, MANIFEST_FILE), MANIFEST_FILE).map((value, at) => {
    const path = `${MANIFEST_FILE}[${at}]`;
    const item = decode.object(value, path);
    return {
      config: decode.string(item.Config, `${path}.Config`),
      layers: decode.optional(item.Layers, `${path}.Layers`, decode.strings) ?? [],
      repoTags: decode.optional(item.RepoTags, `${path}.RepoTags`, decode.strings) ?? [],
    };
  });
}

export interface NamedManifest {
  readonly names: readonly Reference[];
  readonly manifest: RawManifest;
}

/** The lists of an existing archive to which images are added. */
export interface DockerLists {
  readonly items: readonly DockerItem[];
  /** For each repository its tags, with the id of the top layer. */
  readonly repositories: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

/** Errors: MANIFEST_INVALID. */
export function decodeDockerLists(manifest: Uint8Array, repositories: Uint8Array | undefined): DockerLists {
  const named = repositories && decode.object(decode.parseJson(repositories, REPOSITORIES_FILE), REPOSITORIES_FILE);
  const entries = Object.entries(named ?? {}).map(([name, tags]) => [name, decode.stringMap(tags, name)] as const);
  return { items: decodeDockerManifest(manifest), repositories: Object.fromEntries(entries) };
}

/** Removes names that other images have now, and images that have no name left. */
export function withoutNames({ items, repositories }: DockerLists, taken: ReadonlySet<string>): DockerLists {
  const isTaken = (name: string): boolean => taken.has(completedName(name) ?? name);
  const left = items.flatMap((item) => {
    const repoTags = item.repoTags.filter((name) => !isTaken(name));
    return repoTags.length > 0 || item.repoTags.length === 0 ? [{ ...item, repoTags }] : [];
  });
  const named = Object.entries(repositories).map(([name, tags]) => {
    const others = Object.entries(tags).filter(([tag]) => !isTaken(`${name}:${tag}`));
    return [name, Object.fromEntries(others)] as const;
  });
  return { items: left, repositories: Object.fromEntries(named) };
}

const NOTHING: DockerLists = { items: [], repositories: {} };

/** The files by which Docker finds images, in an order that does not depend on the order of `images`. */
export function dockerManifestFiles(images: readonly NamedManifest[], kept = NOTHING): readonly SmallFile[] {
  const items = new Map<string, { config: string; tags: Set<string>; layers: readonly string[] }>();
  const repositories = new Map<string, Map<string, string>>();
  const itemOf = (config: string, layers: readonly string[]) => {
    const key = [config, ...layers].join(' ');
    const item = items.get(key) ?? { config, tags: new Set(), layers };
    items.set(key, item);
    return item;
  };
  const tagsOf = (repository: string): Map<string, string> => {
    const tags = repositories.get(repository) ?? new Map<string, string>();
    repositories.set(repository, tags);
    return tags;
  };
  for (const { config, layers, repoTags } of kept.items) {
    const item = itemOf(config, layers);
    for (const name of repoTags) item.tags.add(name);
  }
  for (const [repository, tags] of Object.entries(kept.repositories)) {
    for (const [tag, id] of Object.entries(tags)) tagsOf(repository).set(tag, id);
  }
  for (const { names, manifest } of images) {
    const image = decodeManifest(manifest);
    if (image.kind !== 'image') continue;
    const layers = image.layers.map((layer) => blobPath(layer.digest));
    const item = itemOf(blobPath(image.config.digest), layers);
    const top = image.layers.at(-1);
    for (const name of names) {
      const { digest: _, ...full } = fullReference(name);
      if (full.tag === undefined) continue;
      item.tags.add(formatReference(full));
      if (top) tagsOf(`${full.host}/${full.path}`).set(full.tag, digestHex(top.digest));
    }
  }
  const listed = [...items.values()]
    .map(({ config, tags, layers }) => ({ Config: config, RepoTags: [...tags].sort(), Layers: layers }))
    .sort((a, b) => (itemKey(a) < itemKey(b) ? -1 : 1));
  return [
    { path: MANIFEST_FILE, bytes: json(listed) },
    { path: REPOSITORIES_FILE, bytes: json(sorted(repositories, (tags) => sorted(tags, (id) => id))) },
  ];
}

/** The entry of an image in the index. It has the full name, because containerd, podman and Docker take the name from the index. */
export function dockerEntry(manifest: RawManifest, name: Reference | undefined): Descriptor {
  return layoutEntry(manifest, name ? { name: fullReference(name) } : {});
}

/** Checks that Docker can hold the image, as an archive or in its own store. Errors: MANIFEST_INVALID for an index, UNSUPPORTED. */
export function requireDockerImage(raw: RawManifest): void {
  const manifest = decodeManifest(raw);
  if (manifest.kind === 'index') {
    throw new ImagesError('MANIFEST_INVALID', 'a docker-archive holds images, no indexes', {
      hint: 'Choose one platform with --platform, or copy to oci-archive:.',
    });
  }
  requireDockerLayers(manifest);
}

/** Errors: UNSUPPORTED for an image without file system, and for layers that are stored elsewhere (foreign layers). */
function requireDockerLayers(manifest: ImageManifest): void {
  if (!hasFileSystem(manifest)) {
    const types = [manifest.config, ...manifest.layers].map(({ mediaType }) => mediaType);
    const type = manifest.artifactType ?? types.find((one) => !isConfigType(one)) ?? types[0];
    throw new ImagesError('UNSUPPORTED', `it is no image with a file system [${type}]: Docker holds nothing else`, {
      hint: 'Copy to oci-archive:, oci:, dir: or a registry.',
    });
  }
  const foreign = manifest.layers.find(isElsewhere);
  if (foreign) {
    throw new ImagesError('UNSUPPORTED', `a docker-archive holds no foreign layers [${foreign.digest}]`, {
      hint: 'Copy to oci-archive: or oci:, which leave them where they are published.',
    });
  }
}

/** The check of an archive or a daemon before anything is put. Errors: UNSUPPORTED. */
export function admitDockerImage({ images, attached }: PlannedParts, label: string): void {
  for (const image of images) requireDockerLayers(image);
  if (attached.length === 0) return;
  throw new ImagesError('UNSUPPORTED', `it holds nothing that points to an image [${label}]`, {
    hint: 'Copy without --referrers, or to oci-archive:.',
  });
}

function itemKey(item: { readonly Config: string; readonly RepoTags: readonly string[] }): string {
  return `${item.RepoTags[0] ?? '~'} ${item.Config}`;
}

function sorted<T, R>(map: ReadonlyMap<string, T>, value: (one: T) => R): Readonly<Record<string, R>> {
  const entries = [...map].sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, one]) => [key, value(one)]));
}

function json(value: unknown): Uint8Array {
  return Buffer.from(JSON.stringify(value));
}
