// A set of digests that takes 32 bytes for each sha256, and some to find it: a store may have millions, and each text takes more than a hundred.
import { randomFillSync } from 'node:crypto';
import { type Digest, digestHex } from './digest.ts';

export interface DigestSet {
  readonly size: number;
  has(digest: Digest): boolean;
  /** Returns the number of the digest. They are counted from 0, in the order in which they came. */
  add(digest: Digest): number;
  /** `undefined` for one that is not in the set. */
  numberOf(digest: Digest): number | undefined;
}

/** Of 32 bits, in a sha256. */
const WORDS = 8;
const FEW = 1024;

export function newDigestSet(): DigestSet {
  /** Those of other algorithms, which are few. */
  const others = new Map<Digest, number>();
  /** The digest with number N begins at N × WORDS. */
  let words = new Uint32Array(FEW * WORDS);
  /** A table with open addressing, half full at most: the number plus one, or 0. */
  let slots = new Uint32Array(2 * FEW);
  let size = 0;
  const sought = Buffer.alloc(WORDS * 4);
  const soughtWords = new Uint32Array(sought.buffer, sought.byteOffset, WORDS);
  // Random, so that nobody can name digests in manifests that all meet in the same place.
  const factors = randomFillSync(new Uint32Array(WORDS)).map((factor) => factor | 1);

  function placeOf(from: Uint32Array, at: number): number {
    let sum = 0;
    for (let word = 0; word < WORDS; word++) sum += Math.imul(from[at + word] as number, factors[word] as number);
    // The upper bits depend on all of the digest.
    return Math.floor(((sum >>> 0) / 2 ** 32) * slots.length);
  }

  function isAt(number: number): boolean {
    for (let word = 0; word < WORDS; word++) if (words[number * WORDS + word] !== soughtWords[word]) return false;
    return true;
  }

  /** The slot of the sought digest, or the free one where it belongs. */
  function slotOf(digest: Digest): number {
    sought.write(digestHex(digest), 'hex');
    let slot = placeOf(soughtWords, 0);
    for (;;) {
      const found = slots[slot] as number;
      if (found === 0 || isAt(found - 1)) return slot;
      slot = (slot + 1) % slots.length;
    }
  }

  function grow(): void {
    const larger = new Uint32Array(words.length * 2);
    larger.set(words);
    words = larger;
    const before = slots;
    slots = new Uint32Array(before.length * 2);
    for (const found of before) {
      if (found === 0) continue;
      let slot = placeOf(words, (found - 1) * WORDS);
      while (slots[slot] !== 0) slot = (slot + 1) % slots.length;
      slots[slot] = found;
    }
  }

  const numberOf: DigestSet['numberOf'] = (digest) => {
    if (!digest.startsWith('sha256:')) return others.get(digest);
    const found = slots[slotOf(digest)] as number;
    return found === 0 ? undefined : found - 1;
  };

  return {
    get size() {
      return size;
    },
    has: (digest) => numberOf(digest) !== undefined,
    numberOf,
    add: (digest) => {
      const known = numberOf(digest);
      if (known !== undefined) return known;
      const number = size++;
      if (number * WORDS === words.length) grow();
      if (digest.startsWith('sha256:')) {
        const slot = slotOf(digest);
        words.set(soughtWords, number * WORDS);
        slots[slot] = number + 1;
      } else others.set(digest, number);
      return number;
    },
  };
}
