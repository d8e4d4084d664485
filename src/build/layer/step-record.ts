// The cache record of a step that made a layer or changed nothing: enough to reuse the result without executing the step.
import * as decode from '../../oci/decode.ts';
import { type Descriptor, decodeDescriptor } from '../../oci/descriptor.ts';
import { type Digest, isDigest } from '../../oci/digest.ts';

export interface StepVariant {
  readonly descriptor: Descriptor;
  readonly diffId: Digest;
}

export interface StepRecord {
  /** Represents the layer in the keys of later steps. Independent of times and compression. Empty if nothing changed. */
  readonly id: string;
  /** By time rules and compression. Empty if nothing changed. */
  readonly variants: Readonly<Record<string, StepVariant>>;
  /** For a RUN: the original times of its files, `seconds.nanoseconds`, in the archive's order. */
  readonly times?: readonly string[];
}

export function encodeRecord(record: StepRecord): Uint8Array {
  return Buffer.from(JSON.stringify(record));
}

/** Returns `undefined` for a damaged record: the step is then executed again. */
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
