// Bytes that prove wrong at their end cannot be taken back from who has read them. Where another attempt may give right ones, the error says so.

const worthIt = new WeakSet<object>();

/** True for a body's failure after which the blob can be opened anew, from its start: then it comes from another place, or is read another way. */
export function mayOpenAnew(error: unknown): boolean {
  return typeof error === 'object' && error !== null && worthIt.has(error);
}

export function markOpenAnew(error: object): void {
  worthIt.add(error);
}
