// How scalars are resolved: as a number or time only if that loses no character, since `tag: 1.20` means the text. Relies on js-yaml's schemas.
import {
  boolCoreTag,
  defineMappingTag,
  defineScalarTag,
  defineSequenceTag,
  FAILSAFE_SCHEMA,
  mapTag,
  mergeTag,
  NOT_RESOLVED,
  nullCoreTag,
  type Schema,
  seqTag,
} from 'js-yaml';

const DIGITS = [...'0123456789'];

/** A number only if it prints as it was written. `1.20`, `0x1F`, `1e3`, `007` and `2024-01-01` stay texts. */
const plainNumber = defineScalarTag<number | string>('tag:yaml.org,2002:float', {
  implicit: true,
  implicitFirstChars: ['-', ...DIGITS],
  resolve: (source, isExplicit) => {
    const isNumber = /^-?\d+(?:\.\d+)?$/.test(source) && String(Number(source)) === source;
    if (isNumber) return Number(source);
    return isExplicit ? source : NOT_RESOLVED;
  },
  identify: () => false,
});

/** Application-specific tags (`!Sub`, `!reference`, `!!binary`) say nothing about images: the value is read without them. */
const foreignTags = [
  defineScalarTag<string>('', { matchByTagPrefix: true, resolve: (source) => source, identify: () => false }),
  defineSequenceTag<unknown[]>('', { ...seqTag, matchByTagPrefix: true, create: () => [], identify: () => false }),
  defineMappingTag<Record<string, unknown>>('', { ...mapTag, matchByTagPrefix: true, identify: () => false }),
];

export const SCHEMA: Schema = FAILSAFE_SCHEMA.withTags(nullCoreTag, boolCoreTag, plainNumber, mergeTag, foreignTags);
