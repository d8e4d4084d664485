// Is a name the beginning or the end of one that is known? Known names are cut up once, so that asking costs the same however many there are. Pure.

export interface NameParts {
  add(name: string): void;
  /** A known name goes on with a tag or a digest, or stands below another path. */
  hasPart(name: string): boolean;
}

/** Of images: `quay.io/a/b:1` has the parts `quay.io/a/b`, `a/b:1` and `b:1`. */
export function createImageParts(names: Iterable<string>): NameParts {
  return createParts(names, (name) => [...headsOf(name, /[@:]/g), ...tailsOf(name)]);
}

/** Of repositories: `quay.io/a/b` has the parts `quay.io`, `quay.io/a`, `a/b`, `b` and itself. */
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
