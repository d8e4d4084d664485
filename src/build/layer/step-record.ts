// What is remembered of a step that made a layer, or that changed nothing: enough to have it again without doing it again.
import * as decode from '../../oci/decode.ts';
import { type Descriptor, decodeDescriptor } from '../../oci/descriptor.ts';
import { type Digest, isDigest } from '../../oci/digest.ts';

export interface StepVariant {
  readonly descriptor: Descriptor;
  readonly diffId: Digest;
}

export interface StepRecord {
  /** What later steps' keys say of this layer: the same, whatever its times and its compression are. Empty where nothing changed. */
  readonly id: string;
  /** By time rules and compression. None where nothing changed. */
  readonly variants: Readonly<Record<string, StepVariant>>;
  /** Of a RUN: its files' times as they were, `seconds.nanoseconds` in the archive's order. */
  readonly times?: readonly string[];
}

export function encodeRecord(record: StepRecord): Uint8Array {
  return Buffer.from(JSON.stringify(record));
}

/** `undefined` for what is broken: the step is done again then. */
export function decodeRecord(bytes: Uint8Array): StepRecord | undefined {
  try {
    const fields = decode.object(decode.parseJson(bytes, 'step'), 'step');
    const variants = Object.entries(decode.object(fields.variants, 'step.variants')).map(([name, value]) => {
      const variant = decode.object(value, name);
      const diffId = decode.string(variant.diffId, 'diffId');
      if (!isDigest(diffId)) throw new Error('no digest');
      return [name, { descriptor: decodeDescriptor(variant.descriptor, 'descriptor'), diffId }] as const;
    });
    const times = decode.optional(fields.times, 'step.times', decode.strings);
    return {
      id: decode.string(fields.id, 'step.id'),
      variants: Object.fromEntries(variants),
      ...(times && { times }),
    };
  } catch {
    return undefined;
  }
}
