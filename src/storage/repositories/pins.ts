// Pins: tags and manifests that nobody removes before they are unpinned. They are beside the tree of docker registry:2, which leaves them as they are.
import { type Digest, isDigest } from '../../oci/digest.ts';
import { PINS, parsePinKey, pinKey, pinsPrefix } from '../layout/image-keys.ts';
import type { Objects } from '../objects.ts';

export interface Pin {
  readonly repository: string;
  /** A tag or a digest. */
  readonly reference: string;
}

export interface Pins {
  add(pin: Pin): Promise<void>;
  /** Returns false if there was no such pin. */
  remove(pin: Pin): Promise<boolean>;
  has(pin: Pin): Promise<boolean>;
  of(repository: string): Promise<PinnedIn>;
  /** In the order of their keys. */
  all(): AsyncIterable<Pin>;
}

export interface PinnedIn {
  readonly tags: ReadonlySet<string>;
  readonly digests: ReadonlySet<Digest>;
}

export function pinsIn(objects: Objects): Pins {
  const has: Pins['has'] = async ({ repository, reference }) =>
    (await objects.stat(pinKey(repository, reference))) !== undefined;
  async function* below(prefix: string): AsyncGenerator<Pin> {
    for await (const { key } of objects.list(prefix)) {
      const pin = parsePinKey(key);
      if (pin) yield pin;
    }
  }
  return {
    has,
    add: async ({ repository, reference }) => {
      const key = pinKey(repository, reference);
      await objects.put(key, new Uint8Array());
      await objects.sync([key]);
    },
    remove: async (pin) => {
      if (!(await has(pin))) return false;
      const key = pinKey(pin.repository, pin.reference);
      await objects.delete([key]);
      await objects.sync([key]);
      return true;
    },
    of: async (repository) => {
      const tags = new Set<string>();
      const digests = new Set<Digest>();
      const prefix = pinsPrefix(repository);
      for (const part of ['_tags/', '_digests/']) {
        for await (const { reference } of below(`${prefix}${part}`)) {
          if (isDigest(reference)) digests.add(reference);
          else tags.add(reference);
        }
      }
      return { tags, digests };
    },
    all: () => below(PINS),
  };
}
