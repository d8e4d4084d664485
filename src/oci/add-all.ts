// Appends to lists. Pure.

/** Appends every item to `into`. `into.push(...items)` would put the items on the stack, which overflows at about a hundred thousand of them. */
export function addAll<T>(into: T[], items: Iterable<T>): void {
  for (const item of items) into.push(item);
}
