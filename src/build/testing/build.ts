// Builds for tests: the Dockerfile and files are literals, everything is kept in memory, and the result is a tree.
import { type Digest, digestOf } from '../../oci/digest.ts';
import { ImagesError } from '../../oci/errors.ts';
import { applyLayers } from '../../rootfs/apply-layers.ts';
import type { Layer, LayerIndex } from '../../rootfs/contract.ts';
import { fileContent } from '../../rootfs/file-content.ts';
import { indexLayer, indexLayers } from '../../rootfs/layer-index.ts';
import { layerOf, type TestEntry } from '../../rootfs/testing/layers.ts';
import { findPath, headerOf, type RootTree, walk } from '../../rootfs/tree.ts';
import { buildImage } from '../build-image.ts';
import { scanArchive } from '../context/scan-archive.ts';
import type { BaseImage, Bases, BlobWriter, Runner, StepCache } from '../contract.ts';
import { parseDockerfile } from '../dockerfile/parse.ts';
import { isArchive } from '../files/is-archive.ts';
import type { TreeSource } from '../files/tree-source.ts';
import type { BuildEvent, BuildRequest, BuildSeams, BuiltImage, Download } from '../request.ts';

export interface TestImage {
  readonly entries?: readonly TestEntry[];
  readonly layers?: readonly (readonly TestEntry[])[];
  /** Fields of the config: `{ config: { Env: … } }`. */
  readonly config?: object;
}

export interface TestBuild extends Partial<Omit<BuildRequest, 'dockerfile' | 'context'>> {
  readonly files?: readonly TestEntry[];
  readonly images?: Readonly<Record<string, TestImage>>;
  readonly runner?: Runner;
  readonly download?: Download;
  /** The state that earlier builds left. */
  readonly world?: World;
}

/** The state that outlives a build. */
export interface World {
  readonly blobs: Map<Digest, Uint8Array>;
  readonly steps: Map<string, Uint8Array>;
}

export function newWorld(): World {
  return { blobs: new Map(), steps: new Map() };
}

export interface TestResult {
  readonly image: BuiltImage;
  readonly config: Readonly<Record<string, unknown>> & {
    readonly config: Readonly<Record<string, unknown>>;
    readonly history: readonly { readonly created_by: string; readonly empty_layer?: boolean }[];
  };
  readonly tree: RootTree;
  readonly events: readonly BuildEvent[];
  readonly warnings: readonly string[];
  /** The number of steps that were cached. */
  readonly cached: number;
  /** `path mode uid:gid`, links with `→ target`, in walk order; the root left out. */
  readonly list: readonly string[];
  text(path: string): Promise<string>;
  /** The index of the last layer. */
  readonly lastLayer: LayerIndex;
}

export async function build(dockerfile: string, options: TestBuild = {}): Promise<TestResult> {
  const world = options.world ?? newWorld();
  const events: BuildEvent[] = [];
  const seams: BuildSeams = {
    bases: basesOf(options.images ?? {}),
    blobs: memoryBlobs(world),
    cache: memoryCache(world),
    onEvent: (event) => events.push(event),
    ...(options.runner && { runner: options.runner }),
    ...(options.download && { download: options.download }),
  };
  const platform = { os: 'linux', architecture: 'amd64' };
  const { files = [], images: _, runner: __, download: ___, world: ____, ...rest } = options;
  const request: BuildRequest = {
    dockerfile: parseDockerfile('Dockerfile', dockerfile),
    context: () => contextOf(files),
    platform,
    buildPlatform: platform,
    buildArgs: new Map(),
    times: { kind: 'fixed', seconds: 1_000_000_000 },
    compression: { kind: 'none' },
    ...rest,
  };
  const image = await buildImage(request, seams);
  const layers = image.layers.map(({ layer }) => layer);
  const indexes = await indexLayers(layers);
  const tree = applyLayers(indexes);
  return {
    image,
    config: JSON.parse(Buffer.from(image.config).toString()),
    tree,
    events,
    warnings: events.flatMap((event) => (event.type === 'warning' ? [event.message] : [])),
    cached: events.filter((event) => event.type === 'step-done' && event.cached).length,
    list: listing(tree),
    text: async (path) => {
      const found = findPath(tree, path, { follow: true });
      const { entry, layer = 0 } = found?.node.inode ?? {};
      if (!entry) throw new Error(`no such file [${path}]`);
      return Buffer.concat(await Array.fromAsync(fileContent(layers[layer] as Layer, entry))).toString();
    },
    lastLayer: indexes.at(-1) ?? { entries: [] },
  };
}

/** The error that a build throws. */
export async function failure(dockerfile: string, options: TestBuild = {}): Promise<ImagesError> {
  try {
    await build(dockerfile, options);
  } catch (error) {
    if (error instanceof ImagesError) return error;
    throw error;
  }
  throw new Error('the build did not fail');
}

function listing(tree: RootTree): readonly string[] {
  return [...walk(tree.root)]
    .filter(({ path }) => path !== '')
    .map(({ path, node }) => {
      const { type, mode, uid, gid, linkname } = headerOf(node);
      const link = type === 'symlink' ? ` → ${linkname}` : '';
      return `${path}${type === 'directory' ? '/' : ''} ${mode.toString(8)} ${uid}:${gid}${link}`;
    });
}

export async function contextOf(files: readonly TestEntry[], name = 'the context'): Promise<TreeSource> {
  const layer = await layerOf(files.map((file) => ({ uid: 0, gid: 0, ...file })));
  const tree = applyLayers([await indexLayer(layer)], { noWhiteouts: true });
  return {
    name,
    tree,
    layers: [layer],
    contentId: async ({ entry }) =>
      entry ? digestOf(Buffer.concat(await Array.fromAsync(fileContent(layer, entry)))) : '',
    archive: async ({ entry }) => {
      if (!entry) return undefined;
      const open = async () => fileContent(layer, entry);
      return (await isArchive(await open())) ? { id: (await scanArchive(await open())).id, open } : undefined;
    },
  };
}

function basesOf(images: Readonly<Record<string, TestImage>>): Bases {
  return {
    image: async (reference, platform): Promise<BaseImage> => {
      const image = images[reference];
      if (!image) throw new ImagesError('MANIFEST_UNKNOWN', `no such image [${reference}]`);
      const layers = await Promise.all(
        (image.layers ?? [image.entries ?? []]).map((entries) => layerOf(entries, { gzip: true })),
      );
      const config = {
        architecture: platform.architecture,
        os: platform.os,
        rootfs: { type: 'layers', diff_ids: layers.map(({ diffId }) => diffId) },
        history: layers.map(() => ({ created: '2020-01-01T00:00:00Z', created_by: 'base' })),
        ...image.config,
      };
      return { name: reference, config: Buffer.from(JSON.stringify(config)), layers };
    },
  };
}

function memoryCache({ steps }: World): StepCache {
  return {
    get: async (key) => steps.get(key),
    put: async (key, value) => {
      steps.set(key, value);
    },
  };
}

function memoryBlobs({ blobs }: World): BlobWriter {
  return {
    start: async () => {
      const chunks: Uint8Array[] = [];
      return {
        append: async (chunk) => void chunks.push(Uint8Array.from(chunk)),
        finish: async (digest) => void blobs.set(digest, Buffer.concat(chunks)),
        async [Symbol.asyncDispose]() {},
      };
    },
    put: async ({ digest }, bytes) => void blobs.set(digest, bytes),
    layer: async (descriptor, diffId) => {
      const blob = blobs.get(descriptor.digest);
      if (!blob) return undefined;
      async function* bytes(): AsyncGenerator<Uint8Array> {
        yield blob as Uint8Array;
      }
      return { descriptor, diffId, open: async () => bytes() };
    },
  };
}
