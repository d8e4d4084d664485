// Images as containerd has them: each name points to a manifest or an index, and CRI finds an image under three names. Pure.
import { hasFileSystem } from '../../oci/agreement.ts';
import type { Digest } from '../../oci/digest.ts';
import { ImagesError } from '../../oci/errors.ts';
import { decodeManifest, type RawManifest } from '../../oci/manifest.ts';
import { parseReference } from '../../oci/reference.ts';
import { chainIds } from '../chain-ids.ts';
import type { ImageToStore } from '../containers-storage/merged-images.ts';
import type { ReadableImage } from '../readable-image.ts';

export interface ContainerdImage {
  /** Full references, sorted. */
  readonly names: readonly string[];
  readonly image: ReadableImage;
  /** What the names point to: the index if it leads to the manifest directly, else the manifest. */
  readonly target: RawManifest;
  /** For each layer the identity of the file system up to it. */
  readonly chain: readonly Digest[];
}

/** The kernel accepts no more layers in one mount. */
export const MAX_LAYERS = 500;

/** Each target once, in the order of digests. If several images claim a name, the last one gets it. Errors: UNSUPPORTED, MANIFEST_INVALID. */
export function containerdImages(images: readonly ImageToStore[]): readonly ContainerdImage[] {
  const owners = new Map<string, Digest>();
  const found = new Map<Digest, Omit<ContainerdImage, 'names'>>();
  for (const { names, image } of images) {
    const target = targetOf(image);
    for (const name of names) owners.set(name, target.digest);
    if (!found.has(target.digest)) found.set(target.digest, { image, target, chain: chainOf(image) });
  }
  const named = new Map([...found.keys()].map((digest) => [digest, [] as string[]]));
  for (const [name, owner] of owners) named.get(owner)?.push(name);
  return [...found]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([digest, one]) => ({ ...one, names: (named.get(digest) ?? []).sort() }));
}

function targetOf({ root, raw }: ReadableImage): RawManifest {
  const manifest = decodeManifest(root);
  const isDirect = manifest.kind === 'index' && manifest.manifests.some(({ digest }) => digest === raw.digest);
  return isDirect ? root : raw;
}

function chainOf({ label, layers, manifest }: ReadableImage): readonly Digest[] {
  if (!hasFileSystem(manifest)) {
    const type = manifest.artifactType ?? manifest.config.mediaType;
    throw new ImagesError('UNSUPPORTED', `it is no image with a file system [${type} of ${label}]`, {
      hint: 'Charts, signatures and the like can be copied to oci:, oci-archive: or a registry.',
    });
  }
  if (layers.length > MAX_LAYERS) {
    throw new ImagesError('UNSUPPORTED', `an image of ${layers.length} layers cannot be mounted [${label}]`, {
      hint: `overlayfs takes ${MAX_LAYERS} layers at most: build the image with fewer.`,
    });
  }
  return chainIds(
    layers.map(({ diffId, descriptor }) => {
      if (diffId !== undefined) return diffId;
      throw new ImagesError('MANIFEST_INVALID', `the config has no diffID for layer ${descriptor.digest} [${label}]`);
    }),
  );
}

/** The names under which CRI looks for an image: those given, with the digest instead of the tag, and the image's id. */
export function criNames({ names, image, target }: ContainerdImage): readonly string[] {
  const byDigest = names.map((name) => `${repositoryOf(name)}@${target.digest}`);
  return [...new Set([...names, ...byDigest, image.manifest.config.digest])];
}

function repositoryOf(name: string): string {
  const { host, path } = parseReference(name);
  return host === undefined ? path : `${host}/${path}`;
}

/** In bytes: the name and the value of a label together (containerd, labels/validate.go). */
const MAX_LABEL = 4096;

/** The labels that tell from where content came: for mounts in a registry, and to find what is missing. */
export function sourceLabels(names: readonly string[]): Readonly<Record<string, string>> {
  const repositories = new Map<string, Set<string>>();
  for (const name of names) {
    const { host = '', path } = parseReference(name);
    const label = `containerd.io/distribution.source.${host.replace(/:\d+$/, '')}`;
    const known = repositories.get(label) ?? new Set();
    repositories.set(label, known.add(path));
  }
  return Object.fromEntries(
    [...repositories].sort(([a], [b]) => (a < b ? -1 : 1)).map(([label, paths]) => [label, joined(label, paths)]),
  );
}

function joined(label: string, paths: ReadonlySet<string>): string {
  let value = '';
  for (const path of [...paths].sort()) {
    const longer = value === '' ? path : `${value},${path}`;
    if (label.length + longer.length > MAX_LABEL) break;
    value = longer;
  }
  return value;
}
