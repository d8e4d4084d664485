// A step that makes a layer: reused if its key is in the cache, otherwise executed and recorded.
import { createHash } from 'node:crypto';
import type { CallOptions } from '../../io/streams/bytes.ts';
import type { Layer, LayerIndex } from '../../rootfs/contract.ts';
import { encodeIndex } from '../../rootfs/index-codec.ts';
import type { BlobWriter, StepCache } from '../contract.ts';
import type { BuiltLayerCompression } from '../layer/compression.ts';
import { retimed } from '../layer/retime-layer.ts';
import { decodeRecord, encodeRecord, type StepRecord, type StepVariant } from '../layer/step-record.ts';
import type { TimeRules } from '../layer/times.ts';
import { writeBuiltLayer } from '../layer/write-layer.ts';
import type { StepOutcome } from '../request.ts';

export interface StepSettings extends CallOptions {
  readonly blobs: BlobWriter;
  readonly cache: StepCache;
  readonly times: TimeRules;
  readonly compression: BuiltLayerCompression;
  readonly noCache: boolean;
  onBytes?(count: number): void;
}

/** The result of executing a step. The functions are called after the archive has been read. */
export interface StepWork {
  readonly archive: AsyncIterable<Uint8Array>;
  /** The index of the layer. */
  index?(): LayerIndex;
  /** The original times of the files, if the step cannot be executed again only for other times. */
  times?(): readonly string[];
  /** Whether the archive has no entries. */
  isEmpty(): boolean;
}

export interface StepResult {
  /** `undefined` if nothing changed. */
  readonly layer: Layer | undefined;
  readonly id: string;
  readonly cached: boolean;
  readonly why: StepOutcome;
}

/** `key` is everything that decides the result, except times. `work` executes the step, or returns `undefined` if it would change nothing. */
export async function layerStep(
  key: unknown,
  settings: StepSettings,
  work: () => Promise<StepWork | undefined>,
): Promise<StepResult> {
  const name = createHash('sha256').update(JSON.stringify(key)).digest('hex');
  const record = settings.noCache ? undefined : await remembered(name, settings);
  const known = record && (await fromRecord(name, record, settings));
  if (known) return known;
  const why = settings.noCache ? 'not-asked' : record ? 'layer-gone' : 'unknown';
  // Reported first, because layers may be fetched and read before this one has its first byte.
  settings.onBytes?.(0);
  const done = await work();
  if (!done) return await noted(name, settings, why);
  const written = await writeBuiltLayer(done.archive, settings);
  if (done.isEmpty()) return await noted(name, settings, why);
  const layer = await layerOf(written, settings);
  const index = done.index?.();
  if (index) await layer.index?.save(encodeIndex(index));
  const times = done.times?.();
  const fresh: StepRecord = {
    // A step that was executed again may have another result. One whose layer was only written again keeps its id.
    id: (!times && record?.id) || written.diffId,
    variants: { ...(times ? {} : record?.variants), [variantName(settings)]: written },
    ...(times && { times }),
  };
  await settings.cache.put(name, encodeRecord(fresh));
  return { layer, id: fresh.id, cached: false, why };
}

async function remembered(name: string, { cache }: StepSettings): Promise<StepRecord | undefined> {
  const bytes = await cache.get(name);
  return bytes && decodeRecord(bytes);
}

async function fromRecord(name: string, record: StepRecord, settings: StepSettings): Promise<StepResult | undefined> {
  const { id, variants, times } = record;
  if (id === '') return { layer: undefined, id, cached: true, why: 'no-change' };
  const variant = variants[variantName(settings)];
  const layer = variant && (await settings.blobs.layer(variant.descriptor, variant.diffId));
  if (layer) return { layer, id, cached: true, why: 'remembered' };
  if (!times) return undefined;
  for (const other of Object.values(variants)) {
    const from = await settings.blobs.layer(other.descriptor, other.diffId);
    if (!from) continue;
    const written = await writeBuiltLayer(retimed(from, times, settings.times.of, settings), settings);
    await settings.cache.put(
      name,
      encodeRecord({ ...record, variants: { ...variants, [variantName(settings)]: written } }),
    );
    return { layer: await layerOf(written, settings), id, cached: true, why: 'rewritten' };
  }
  return undefined;
}

/** Records that the step changes nothing. */
async function noted(name: string, { cache }: StepSettings, why: StepOutcome): Promise<StepResult> {
  await cache.put(name, encodeRecord({ id: '', variants: {} }));
  return { layer: undefined, id: '', cached: false, why };
}

async function layerOf({ descriptor, diffId }: StepVariant, { blobs }: StepSettings): Promise<Layer> {
  const layer = await blobs.layer(descriptor, diffId);
  if (!layer) throw new Error(`a layer that was written is not there [${descriptor.digest}]`);
  return layer;
}

function variantName({ times, compression: { kind, level } }: StepSettings): string {
  return `${times.id} ${kind}${level === undefined ? '' : `:${level}`}`;
}
