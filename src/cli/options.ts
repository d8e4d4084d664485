// The options of one invocation, read by name. Asking for a name that the command does not declare is a bug.
import type { OptionSpec } from './command.ts';

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
