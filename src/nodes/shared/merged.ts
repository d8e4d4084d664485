// The result of putting ours into a file that others have written.

/** `refused`: the file stays as it is, and this is why. */
export type Merged = { readonly text: string } | { readonly refused: string };

export function refused(why: string): Merged {
  return { refused: why };
}
