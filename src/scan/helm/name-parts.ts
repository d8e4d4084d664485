// Whether a name is the beginning or end of a known name. Parts are indexed once, so a look-up costs the same for any number of names. Pure.

export interface NameParts {
  add(name: string): void;
  /** Whether a known name extends this one: with a tag or digest behind it, or a path before it. */
  hasPart(name: string): boolean;
}

/** Parts of images: `quay.io/a/b:1` has the parts `quay.io/a/b`, `a/b:1` and `b:1`. */
export function createImageParts(names: Iterable<string>): NameParts {
  return createParts(names, (name) => [...headsOf(name, /[@:]/g), ...tailsOf(name)]);
}

/** Parts of repositories: `quay.io/a/b` has the parts `quay.io`, `quay.io/a`, `a/b`, `b` and itself. */
export function createRepositoryParts(names: Iterable<string>): NameParts {
  return createParts(names, (name) => [name, ...headsOf(name, /\//g), ...tailsOf(name)]);
}

function createParts(names: Iterable<string>, partsOf: (name: string) => readonly string[]): NameParts {
  const parts = new Set<string>();
  const add = (name: string): void => {
    for (const part of partsOf(name)) parts.add(part);
  };
  for (const name of names) add(name);
  return { add, hasPart: (name) => parts.has(name) };
}

function headsOf(name: string, mark: RegExp): readonly string[] {
  return Array.from(name.matchAll(mark), ({ index }) => name.slice(0, index));
}

function tailsOf(name: string): readonly string[] {
  return Array.from(name.matchAll(/\//g), ({ index }) => name.slice(index + 1));
}
