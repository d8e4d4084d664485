// Texts in which one thing comes after another. `/a.*b/` looks for it from each `a` on, which takes the square of a text that is full of them.

/** Whether each pattern is found after the one before it. The patterns have no flag `g`. */
export function hasInOrder(text: string, patterns: readonly RegExp[]): boolean {
  let rest = text;
  for (const pattern of patterns) {
    const found = pattern.exec(rest);
    if (!found) return false;
    rest = rest.slice(found.index + found[0].length);
  }
  return true;
}
