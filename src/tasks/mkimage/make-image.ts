// `mkimage`: builds an image from a directory with a `tar` script and a Dockerfile, or a manifest.json. The result is in the local store; the registry serves it only after an
// upload.

import { join } from 'node:path';
import { buildImage } from '../../build/build-image.ts';
import type { BuildDifferences } from '../../build/compare-builds.ts';
import type { TreeSource } from '../../build/files/tree-source.ts';
import type { BuiltLayerCompression } from '../../build/layer/compression.ts';
import { type TimeChoice, timeRules } from '../../build/layer/times.ts';
import type { BuildEvent, BuildNetwork, BuildRequest, BuildSeams, BuiltImage } from '../../build/request.ts';
import { createLimiter } from '../../io/concurrency/limiter.ts';
import { checkArguments, TEXT } from '../../oci/arguments.ts';
import type { Digest } from '../../oci/digest.ts';
import { ImagesError } from '../../oci/errors.ts';
import { machinePlatform } from '../../oci/machine-platform.ts';
import { decodeManifest } from '../../oci/manifest.ts';
import type { Platform } from '../../oci/platform.ts';
import { DEFAULT_TAG, parseReference, type Reference } from '../../oci/reference.ts';
import { buildSteps } from '../../storage/builds/build-steps.ts';
import { type BuiltImages, builtImages } from '../../storage/builds/built-images.ts';
import { looseBlobs } from '../../storage/builds/loose-blobs.ts';
import type { EmbeddedStore } from '../../storage/embedded-store.ts';
import { OPTIONS, SETTINGS } from '../arguments.ts';
import { openRuledStore } from '../private-registry/open-store.ts';
import { dataDirectory } from '../private-registry/registry-state.ts';
import { alsoDebugged, callOptions, type Settings, type TaskCall, type World } from '../settings.ts';
import { baseImages } from './base-images.ts';
import { agentsOf, proxiesOf, timesOf } from './build-environment.ts';
import { lazyDownloads, lazyRunner, storeBlobWriter } from './build-seams.ts';
import { type ImageForm, readImageForm } from './image-form.ts';
import { leftSecretLines } from './left-secret-lines.ts';
import { runTarScript } from './run-tar-script.ts';

export interface MakeImageOptions {
  /** The image's name. A manifest.json contains its own. */
  readonly tag?: string;
  readonly manifest?: string;
  readonly file?: string;
  /** A directory with further files for COPY and ADD. */
  readonly context?: string;
  /** For a manifest.json: builds even if the image exists. */
  readonly force?: boolean;
  readonly target?: string;
  readonly platform?: Platform;
  readonly buildArgs?: ReadonlyMap<string, string>;
  readonly labels?: ReadonlyMap<string, string>;
  readonly secrets?: ReadonlyMap<string, Uint8Array>;
  readonly times?: TimeChoice;
  readonly compression?: BuiltLayerCompression;
  readonly noCache?: boolean;
  /** Asks the registries again for base images that are cached. */
  readonly pull?: boolean;
  /** For a user with a single ID only: RUN ignores failures to set other owners. */
  readonly ignoreChownErrors?: boolean;
  /** The network for RUN instructions that do not specify one. */
  readonly network?: BuildNetwork;
  /** Builds a second time without a cache, and compares. */
  readonly verify?: boolean;
  onEvent?(event: BuildEvent): void;
  /** Called with the messages of the `tar` script. */
  onScript?(chunk: Uint8Array): void;
}

export interface MadeImage {
  readonly name: Reference;
  readonly digest: Digest;
  /** The image existed, and nothing was built. */
  readonly cached: boolean;
  /** Absent if nothing was built. */
  readonly built?: BuiltImage;
  /** Present with `verify`. */
  readonly differences?: BuildDifferences;
}

/**
 * Builds the image of a directory (a Dockerfile or a manifest.json, a `tar` script or `context`) into the local store. Errors: USAGE (no name), those of the
 * form, of the `tar` script and of the build.
 */
export async function makeImage(
  directory: string,
  settings: Settings,
  options: MakeImageOptions = {},
): Promise<MadeImage> {
  checkArguments({ directory: [directory, TEXT], settings: [settings, SETTINGS], options: [options, OPTIONS] });
  const form = await readImageForm(directory, options);
  const name = nameOf(form, options.tag);
  const store = await openRuledStore(dataDirectory(settings), settings);
  const images = builtImages(store);
  if (form.kind === 'manifest' && !options.force && !options.noCache && !options.verify) {
    const digest = await existing(name, store, images);
    if (digest) return { name, digest, cached: true };
  }
  const building: Building = { directory, form, store };
  const built = await build(building, settings, options);
  const { secrets = new Map() } = options;
  for (const message of await leftSecretLines(built, secrets, store, settings))
    options.onEvent?.({ type: 'warning', message });
  const differences = options.verify ? await verify(building, built, settings, options) : undefined;
  await images.record(name, built.manifest);
  return { name, digest: built.manifest.digest, cached: false, built, ...(differences && { differences }) };
}

async function verify(
  building: Building,
  first: BuiltImage,
  settings: Settings,
  options: MakeImageOptions,
): Promise<BuildDifferences> {
  const { compareBuilds } = await import('../../build/compare-builds.ts');
  const second = await build(building, settings, { ...options, noCache: true });
  return await compareBuilds(first, second, callOptions(settings));
}

function nameOf(form: ImageForm, tag: string | undefined): Reference {
  if (tag === undefined && form.kind === 'dockerfile') {
    throw new ImagesError('USAGE', 'a Dockerfile does not say what the image is called [--tag]', {
      hint: 'Add --tag=NAME:TAG, for example --tag=library/controller:1.0.',
    });
  }
  const name = tag !== undefined ? parseReference(tag) : (form as Extract<ImageForm, { kind: 'manifest' }>).name;
  if (name.digest)
    throw new ImagesError('USAGE', `a name with a digest cannot be given [${tag}]`, { hint: 'Write NAME:TAG.' });
  return { ...name, tag: name.tag ?? DEFAULT_TAG };
}

/** Returns the digest of the image if it is completely in the store. */
async function existing(name: Reference, store: EmbeddedStore, images: BuiltImages): Promise<Digest | undefined> {
  const digest = await images.find(name);
  if (!digest) return undefined;
  const manifest = decodeManifest(await images.reader.getManifest(name.path, digest));
  if (manifest.kind !== 'image') return undefined;
  const blobs = looseBlobs(store.blobs);
  const there = await Promise.all([manifest.config, ...manifest.layers].map((blob) => blobs.has(blob)));
  return there.includes(false) ? undefined : digest;
}

interface Building {
  readonly directory: string;
  readonly form: ImageForm;
  readonly store: EmbeddedStore;
}

const AT_A_TIME = 4;
/** A compromise with build time: level 4 takes 1.5 times as long for 4 % less, level 6 twice as long for 7 %. Docker 20.10 cannot read zstd. */
const QUICK: BuiltLayerCompression = { kind: 'gzip', level: 1 };

/** Builds and stores all blobs; no tag points to the image yet. */
async function build(
  { directory, form, store }: Building,
  settings: Settings,
  options: MakeImageOptions,
): Promise<BuiltImage> {
  const times: TimeChoice = options.times ?? timesOf(settings);
  const spool = join(store.directory, 'images/tmp');
  const call = callOptions(settings);
  const source = await openContext(directory, settings, { ...options, spool, times, dockerfile: form.path });
  await using _script = source;
  await using bases = baseImages(store, settings, { pull: options.pull ?? false });
  await using downloads = lazyDownloads(settings, spool);
  const machine = machinePlatform();
  const request: BuildRequest = {
    dockerfile: form.dockerfile,
    context: () => source.context,
    platform: options.platform ?? machine,
    isPlatformNamed: options.platform !== undefined,
    buildPlatform: machine,
    buildArgs: options.buildArgs ?? new Map(),
    proxies: proxiesOf(settings, options.buildArgs),
    agents: agentsOf(settings),
    times,
    compression: options.compression ?? QUICK,
    noCache: options.noCache ?? false,
    ignoreChownErrors: options.ignoreChownErrors ?? false,
    ...(options.network && { network: options.network }),
    ...(options.target !== undefined && { target: options.target }),
    ...(options.labels && { labels: options.labels }),
    ...(options.secrets && { secrets: options.secrets }),
  };
  const onEvent = alsoDebugged('build', settings, options.onEvent);
  const seams: BuildSeams = {
    bases,
    blobs: storeBlobWriter(store),
    cache: buildSteps(store.objects),
    runner: lazyRunner(store, settings, options.ignoreChownErrors ?? false),
    download: downloads.download,
    ...(onEvent && { onEvent }),
    ...call,
  };
  const built = await buildImage(request, seams);
  // Wait for the script even if no instruction has read its archive: if it fails, the build fails.
  await source.context;
  await keepLayers(store, built, settings);
  return built;
}

/** Copies the layers of base images into the store, since they are part of the image. */
async function keepLayers(store: EmbeddedStore, { layers }: BuiltImage, settings: TaskCall): Promise<void> {
  const blobs = looseBlobs(store.blobs);
  const call = callOptions(settings);
  const foreign = layers.filter(({ isNew }) => !isNew);
  await createLimiter(AT_A_TIME).map(
    foreign,
    async ({ layer, descriptor }) => {
      if (!(await blobs.has(descriptor))) await (await layer.open(call))[Symbol.asyncIterator]().return?.();
    },
    settings.signal,
  );
}

interface ContextOptions {
  readonly spool: string;
  readonly times: TimeChoice;
  readonly context?: string;
  /** The path of the Dockerfile: `FILE.dockerignore` beside it has precedence over the directory's own. */
  readonly dockerfile: string;
  onScript?(chunk: Uint8Array): void;
}

interface OpenContext extends AsyncDisposable {
  readonly context: Promise<TreeSource>;
}

async function openContext(
  directory: string,
  settings: World & TaskCall,
  options: ContextOptions,
): Promise<OpenContext> {
  const time = timeRules(options.times).made;
  const { spool, onScript } = options;
  if (options.context === undefined) {
    return await runTarScript(directory, settings, { spool, time, ...(onScript && { onOutput: onScript }) });
  }
  const { openDirectoryContext } = await import('./directory-context.ts');
  return await openDirectoryContext(directory, options.context, settings, { ...options, time });
}
