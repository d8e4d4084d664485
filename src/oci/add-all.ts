// Lists that grow by others. Pure.

/** As `into.push(...items)`, whose arguments stand on the stack: a hundred thousand of them overflow it. */
export function addAll<T>(into: T[], items: Iterable<T>): void {
  for (const item of items) into.push(item);
}
