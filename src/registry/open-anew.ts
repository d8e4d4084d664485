// Marks errors after which a blob can be opened again. Wrong bytes, which show only at the end, cannot be taken back from their consumer.

const worthIt = new WeakSet<object>();

/** Whether the blob can be opened again from its start after this error. It then comes from another route, or is decoded in another way. */
export function mayOpenAnew(error: unknown): boolean {
  return typeof error === 'object' && error !== null && worthIt.has(error);
}

export function markOpenAnew(error: object): void {
  worthIt.add(error);
}
