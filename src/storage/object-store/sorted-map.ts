// A map by texts that also knows their order, so that what begins with a prefix is found without looking at the others.

/** State: the values, and their keys in order. */
export class SortedMap<Value> {
  readonly #values = new Map<string, Value>();
  readonly #keys: string[] = [];

  get(key: string): Value | undefined {
    return this.#values.get(key);
  }

  has(key: string): boolean {
    return this.#values.has(key);
  }

  set(key: string, value: Value): void {
    if (!this.#values.has(key)) this.#keys.splice(this.#indexOf(key), 0, key);
    this.#values.set(key, value);
  }

  delete(key: string): void {
    if (this.#values.delete(key)) this.#keys.splice(this.#indexOf(key), 1);
  }

  hasBelow(prefix: string): boolean {
    return this.#keys[this.#indexOf(prefix)]?.startsWith(prefix) ?? false;
  }

  /** The keys that begin with the prefix, in their order. */
  keysBelow(prefix: string): readonly string[] {
    const from = this.#indexOf(prefix);
    let to = from;
    while (this.#keys[to]?.startsWith(prefix)) to += 1;
    return this.#keys.slice(from, to);
  }

  /** Where the key is, or would be. */
  #indexOf(key: string): number {
    let [from, to] = [0, this.#keys.length];
    while (from < to) {
      const middle = (from + to) >>> 1;
      if ((this.#keys[middle] as string) < key) from = middle + 1;
      else to = middle;
    }
    return from;
  }
}
