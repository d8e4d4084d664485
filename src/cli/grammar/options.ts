// The options of one invocation, read by name. Reading an option that the command does not declare is a bug.
import { ImagesError } from '../../oci/errors.ts';

export interface OptionSpec {
  /** Written with `-`; users may write `_` instead. */
  readonly name: string;
  readonly help: string;
  /** One letter: `R` for `-R`. */
  readonly short?: string;
  /** The value's name in the help. Absent: the option is a switch. */
  readonly value?: string;
  /** What the value can be, if `value` does not list it. */
  readonly values?: readonly string[];
  /** The value is optional; without it the option is a switch. */
  readonly valueOptional?: boolean;
  /** May be given several times. */
  readonly many?: boolean;
  readonly complete?: Completion;
  /** Omitted from the help and the reference: for internal use. */
  readonly hidden?: boolean;
}

export type Completion =
  | 'commands'
  | 'directories'
  | 'files'
  /** Names in the private registry. */
  | 'images'
  /** Paths in the image that the first argument names. */
  | 'image-paths'
  | 'overlays'
  /** Names in the private registry, and transports. */
  | 'locations'
  | 'platforms';

export interface Options {
  flag(name: string): boolean;
  text(name: string): string | undefined;
  texts(name: string): readonly string[];
}

export type OptionValues = ReadonlyMap<string, readonly (string | true)[]>;

export function readOptions(specs: readonly OptionSpec[], values: OptionValues): Options {
  const valuesOf = (name: string): readonly (string | true)[] => {
    if (!specs.some((spec) => spec.name === name)) throw new Error(`option is not declared [${name}]`);
    return values.get(name) ?? [];
  };
  const texts = (name: string) => valuesOf(name).filter((value) => typeof value === 'string');
  return {
    flag: (name) => valuesOf(name).at(-1) === true,
    text: (name) => texts(name).at(-1),
    texts,
  };
}

/** Parses a whole number from 1. Errors: USAGE. */
export function positiveNumber(text: string, option: string): number {
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text);
  throw new ImagesError('USAGE', `${option} takes a whole number from 1 [${text}]`);
}
