// What each process has added to a sum, in an object of its own: two that add at the same moment lose nothing, because nobody writes to what is another's.
// The values only go on, and are never set back: who counts remembers which values it has seen, so that each addition counts once.
import { isAlive, ownIdentity } from '../../io/concurrency/process-identity.ts';
import { isImagesError } from '../../oci/errors.ts';
import { ADDED } from '../layout/store-keys.ts';
import type { Objects } from '../objects.ts';

/** By writer: the bytes that it has ever added, less those that it has taken off. */
export type AddedBytes = ReadonlyMap<string, number>;

export interface OwnAdded {
  /** The name of this writer. */
  readonly name: string;
  /** The bytes that it has added. */
  readonly bytes: number;
  /** The bytes that others know of. */
  readonly told: number;
  add(bytes: number): void;
  /** Lets others know. Where nothing can be written, they do not. */
  tell(): Promise<void>;
}

let writers = 0;

export function ownAdded(objects: Objects): OwnAdded {
  writers += 1;
  const name = `${ownIdentity()}.${writers}`;
  let [bytes, told] = [0, 0];
  let telling: Promise<void> | undefined;

  async function write(): Promise<void> {
    const next = bytes;
    if (next === told) return;
    try {
      await objects.put(`${ADDED}${name}`, Buffer.from(`${next}`), { volatile: true });
      told = next;
    } catch (error) {
      // What others are not told of, they learn when they count.
      if (!isImagesError(error, 'READ_ONLY', 'NO_ACCESS', 'NO_SPACE')) throw error;
    }
  }

  return {
    name,
    get bytes() {
      return bytes;
    },
    get told() {
      return told;
    },
    add: (more) => {
      bytes += more;
    },
    tell: async () => {
      // The one that is under way may have begun before the last addition.
      await telling;
      telling ??= write().finally(() => {
        telling = undefined;
      });
      await telling;
    },
  };
}

/** What all have told. An object that a power cut has emptied counts as nothing. */
export async function allAdded(objects: Objects): Promise<AddedBytes> {
  const found = new Map<string, number>();
  for (const name of await objects.children(ADDED)) {
    const bytes = await objects.get(`${ADDED}${name}`);
    const value = bytes && bytes.length > 0 ? Number(Buffer.from(bytes).toString()) : Number.NaN;
    if (Number.isSafeInteger(value)) found.set(name, value);
  }
  return found;
}

/** Those whose process has ended: they add nothing more. */
export function endedWriters(names: Iterable<string>): readonly string[] {
  return [...names].filter((name) => !isAlive(name.slice(0, name.lastIndexOf('.'))));
}

/** To be called once somebody has counted what these have added. */
export async function forgetAdded(objects: Objects, names: readonly string[]): Promise<void> {
  try {
    await objects.delete(names.map((name) => `${ADDED}${name}`));
  } catch (error) {
    if (!isImagesError(error, 'READ_ONLY', 'NO_ACCESS')) throw error;
  }
}
