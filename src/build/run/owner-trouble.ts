// Finds out why a command failed for a user with a single id: programs report that an owner or a user cannot be set, but not how to fix that.
import { hasInOrder } from '../../io/text/in-order.ts';
import type { Ids } from './ids.ts';
import { moreIds } from './lacks.ts';

/** Patterns that one line of output must match in this order. */
const SAYS_SO: readonly (readonly RegExp[])[] = [
  [
    /chown|chgrp|ownership|owner|setgroups|sete?[ug]id|setres[ug]id|initgroups|unpriv|change (?:user|group)|Cannot set (?:user|group)/i,
    /Invalid argument|Operation not permitted|EINVAL|EPERM|22|failed/i,
  ],
  [/Invalid argument/i, /chown|owner/i],
];
const KEPT = 8192;

/** Observes the output of a command. */
export class OwnerTrouble {
  readonly #ids: Ids;
  readonly #onOutput: ((chunk: Uint8Array) => void) | undefined;
  #last = '';
  #seen = false;

  constructor(ids: Ids, onOutput: ((chunk: Uint8Array) => void) | undefined) {
    this.#ids = ids;
    this.#onOutput = onOutput;
  }

  see(chunk: Uint8Array): void {
    this.#onOutput?.(chunk);
    if (this.#ids.owners !== 'one' || this.#seen) return;
    this.#last = (this.#last + Buffer.from(chunk).toString('latin1')).slice(-KEPT);
    this.#seen = this.#last.split('\n').some(saysSo);
  }

  /** The hint for a failed command. */
  hint(): string | undefined {
    if (this.#ids.owners !== 'one') return undefined;
    const mend = moreIds(this.#ids);
    return this.#seen ? mend : `If it needs files of other owners than root: ${mend}`;
  }
}

function saysSo(line: string): boolean {
  return SAYS_SO.some((patterns) => hasInOrder(line, patterns));
}
