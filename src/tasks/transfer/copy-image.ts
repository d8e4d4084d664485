// `copy` and `lreg_upload`: copies images from any location to any other with the copy engine.

import type { CopyImage } from '../../copy/copy-plan.ts';
import type { OnCopyEvent } from '../../copy/events.ts';
import { copyRun } from '../../copy/run.ts';
import { type Ahead, type AheadOptions, type NamedImage, sendAhead } from '../../copy/send-ahead.ts';
import type { CallOptions } from '../../io/streams/bytes.ts';
import { checkArguments, objectWith, TEXT } from '../../oci/arguments.ts';
import { ImagesError } from '../../oci/errors.ts';
import { machinePlatform } from '../../oci/machine-platform.ts';
import { OCI_LAYERS } from '../../oci/media-types.ts';
import type { PlatformChoice } from '../../oci/platform.ts';
import { type Reference, tryParseReference } from '../../oci/reference.ts';
import type { LayerSpool } from '../../transports/compressing/contract.ts';
import type { ImageSink, ImageSource } from '../../transports/contract.ts';
import { OPTIONS, SETTINGS } from '../arguments.ts';
import {
  alsoDebugged,
  callOptions,
  type Settings,
  type TaskCall,
  type TaskEvents,
  withoutRepeats,
} from '../settings.ts';
import { type CompressionChoice, compressingSpool } from './layer-compression.ts';
import type { NamedSource } from './open-all-images.ts';
import { compressesLayers, type OpenedSink, openPrivate, openSink } from './open-sink.ts';
import { type OpenedSource, openSource } from './open-source.ts';
import { expectedOf, type TransferResult } from './transfer-result.ts';

export interface CopyOptions {
  /** Absent: the machine's platform. */
  readonly platforms?: PlatformChoice;
  readonly referrers?: boolean;
  /** Checks everything again, including what the destination already has. */
  readonly force?: boolean;
  /** Plans, but copies nothing. */
  readonly dryRun?: boolean;
  /** Compression for layers that are uncompressed at their source, if the destination stores blobs for others (a registry, an OCI layout or archive). */
  readonly compression?: CompressionChoice;
  readonly onEvent?: OnCopyEvent;
}

/** Copies an image, or an index with its images, from any location to any other. Errors: REFERENCE_INVALID, PLATFORM_UNKNOWN, those of the transports. */
export async function copyImage(
  ends: { readonly from: string; readonly to: string },
  settings: Settings,
  options: CopyOptions = {},
): Promise<TransferResult> {
  checkArguments({
    ends: [ends, objectWith({ from: TEXT, to: TEXT })],
    settings: [settings, SETTINGS],
    options: [options, OPTIONS],
  });
  const { from, to } = ends;
  const noting = withoutRepeats(settings);
  await using spool = compressesLayers(to, noting)
    ? await compressingSpool(noting, options.compression, options.onEvent)
    : undefined;
  await using source = await openSource(from, noting, { ...options, ...(spool && { spool }) });
  await using sink = await openSink(to, noting, { ...options, from });
  return await copyOpened({ source, sink, name: sink.name ?? source.name, ...(spool && { spool }) }, noting, options);
}

export interface UploadImageOptions extends CopyOptions {
  /** The image's new name. Absent: its own name. */
  readonly tag?: string;
  readonly includeHost?: boolean;
}

/**
 * Copies images from any location to the private registry: all images of an archive or a layout if none is named, each under its name. Errors: USAGE (an image has
 * no name), and as `copyImage`.
 */
export async function uploadImages(
  from: string,
  settings: Settings,
  options: UploadImageOptions = {},
): Promise<TransferResult> {
  checkArguments({ from: [from, TEXT], settings: [settings, SETTINGS], options: [options, OPTIONS] });
  const noting = withoutRepeats(settings);
  await using spool = await compressingSpool(noting, options.compression, options.onEvent);
  const { openAllImages, noName } = await import('./open-all-images.ts');
  await using all = options.tag === undefined ? await openAllImages(from, noting, spool) : undefined;
  if (all) return await uploadOpened(all.images, spool, noting, options);
  await using opened = await openSource(from, noting, { ...options, order: 'daemon', ...(spool && { spool }) });
  const name = options.tag === undefined ? opened.name : tryParseReference(options.tag);
  if (!name) throw noName(options.tag ?? from);
  return await uploadOpened([{ source: opened.source, name }], spool, noting, options);
}

async function uploadOpened(
  images: readonly NamedSource[],
  spool: LayerSpool | undefined,
  settings: Settings,
  options: UploadImageOptions,
): Promise<TransferResult> {
  const [first] = images;
  if (!first) throw new ImagesError('MANIFEST_UNKNOWN', 'there is no image', { hint: 'The source is empty.' });
  await using sink = await openPrivate(first.name, settings, options);
  return await copyAll({ images, sink: sink.sink, ...(spool && { spool }) }, settings, options);
}

export interface CopyEnds {
  readonly source: OpenedSource;
  readonly sink: OpenedSink;
  readonly name: Reference | undefined;
  /** Layers that it compresses are sent to the sink at once. */
  readonly spool?: LayerSpool;
}

/** Errors: PLATFORM_UNKNOWN, those of the transports. */
export async function copyOpened(
  { source: { source }, sink: { sink }, name, spool }: CopyEnds,
  settings: TaskCall & TaskEvents,
  options: CopyOptions,
): Promise<TransferResult> {
  const image = { source, ...(name && { name }) };
  return await copyAll({ images: [image], sink, ...(spool && { spool }) }, settings, options);
}

interface AllEnds {
  /** An image without a name must be the only one. */
  readonly images: readonly { readonly source: ImageSource; readonly name?: Reference }[];
  readonly sink: ImageSink;
  readonly spool?: LayerSpool;
}

async function copyAll(
  { images, sink, spool }: AllEnds,
  settings: TaskCall & TaskEvents,
  options: CopyOptions,
): Promise<TransferResult> {
  const onEvent = alsoDebugged('copy', settings, options.onEvent);
  const given = { ...(onEvent && { onEvent }), ...callOptions(settings) };
  const [first, ...others] = images;
  const only = others.length === 0 ? first : undefined;
  // Layers can be sent before planning only for a single image: their destination depends on the image.
  const early = only && spool && !options.dryRun && sink.wants.order === 'any';
  await using ahead = early ? sendLayers(spool, sink, namedImage(only), given) : undefined;
  const run = copyRun(ahead?.sink ?? sink, { ...given, ...(ahead && { onEvent: ahead.onEvent }) });
  // Reading the manifest compresses layers. This stops if the destination fails.
  const asking = ahead ? { signal: ahead.signal } : callOptions(settings);
  const named = await Promise.all(images.map((image) => copyImageOf(image, asking)));
  const plan = await run.plan(named, {
    platforms: options.platforms ?? [machinePlatform()],
    platformsNamed: options.platforms !== undefined,
    referrers: options.referrers ?? false,
    force: options.force ?? false,
    ...asking,
  });
  const planned = only ? [only.source.label] : plan.images.map(({ image }) => image);
  if (options.dryRun) {
    return { dryRun: true, planned, copied: [], failed: [], ...expectedOf(plan) };
  }
  const { copied, failed, requests, fetched, alreadyThere } = await run.execute(plan);
  const { blobs, bytes } = ahead?.sent ?? { blobs: 0, bytes: 0 };
  return {
    dryRun: false,
    planned,
    copied,
    failed,
    requests: requests + blobs,
    fetched: fetched + bytes,
    alreadyThere: alreadyThere - bytes,
  };
}

function sendLayers(spool: LayerSpool, sink: ImageSink, image: NamedImage, options: AheadOptions): Ahead {
  const ahead = sendAhead(sink, image, options);
  spool.watch({
    begins: () => ahead.ask(),
    compressed: ({ digest, size, open }) => ahead.send({ mediaType: OCI_LAYERS[spool.kind], digest, size }, open),
  });
  return ahead;
}

/** The name of an image without one, for transports that store images without names. */
const NAMELESS: Reference = { path: 'image' };

function namedImage({ source, name }: AllEnds['images'][number]): NamedImage {
  return name ? { name } : { name: NAMELESS, label: source.label };
}

async function copyImageOf({ source, name }: AllEnds['images'][number], call: CallOptions): Promise<CopyImage> {
  if (name) return { source, name };
  return { source, name: { ...NAMELESS, digest: (await source.root(call)).digest }, label: source.label };
}
