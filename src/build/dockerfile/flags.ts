// The flags of an instruction: their names, and the types of their values.
import type { Word } from './instructions.ts';
import { mistake, type Statement } from './source.ts';

export type FlagKind = 'text' | 'texts' | 'switch';

export interface Flags {
  text(name: string): string | undefined;
  texts(name: string): readonly string[];
  /** Returns `undefined` if the flag is absent. */
  switch(name: string): boolean | undefined;
}

/** Errors: DOCKERFILE_INVALID (unknown flag, duplicate flag, invalid value). */
export function readFlags(
  statement: Statement,
  words: readonly Word[],
  kinds: Readonly<Record<string, FlagKind>>,
): Flags {
  const values = new Map<string, string[]>();
  for (const { text, at } of words) {
    const equals = text.indexOf('=');
    const name = (equals < 0 ? text : text.slice(0, equals)).slice(2);
    const value = equals < 0 ? undefined : text.slice(equals + 1);
    const kind = Object.hasOwn(kinds, name) ? kinds[name] : undefined;
    if (!kind) throw unknownFlag(statement, { text, at }, name, Object.keys(kinds));
    const known = values.get(name);
    if (known && kind !== 'texts') throw mistake(statement, `the flag is there twice [--${name}]`, { at });
    const wantsValue = kind === 'switch' ? value === '' : value === undefined;
    if (wantsValue) throw mistake(statement, `a flag without a value [--${name}]`, { at, hint: `Write --${name}=…` });
    if (kind === 'switch' && !/^(?:true|false)$/i.test(value ?? 'true')) {
      throw mistake(statement, `neither true nor false [--${name}=${value}]`, { at });
    }
    values.set(name, [...(known ?? []), value ?? 'true']);
  }
  return {
    text: (name) => values.get(name)?.[0],
    texts: (name) => values.get(name) ?? [],
    switch: (name) => {
      const value = values.get(name)?.[0];
      return value === undefined ? undefined : value.toLowerCase() === 'true';
    },
  };
}

function unknownFlag(statement: Statement, { at }: Word, name: string, known: readonly string[]): Error {
  const candidates = known.map((each) => `--${each}`);
  return mistake(statement, `unknown flag [--${name}]`, {
    at,
    word: `--${name}`,
    candidates,
    ...(candidates.length === 0 && { hint: 'The instruction takes no flags.' }),
  });
}
