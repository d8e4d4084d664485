// The end of a text without what need not be there. `/x+$/` looks for it from each `x` on, which takes the square of a text that is full of them.

/** Without these characters at its end. */
export function withoutEnd(text: string, characters: string): string {
  let end = text.length;
  while (end > 0 && characters.includes(text[end - 1] as string)) end--;
  return text.slice(0, end);
}
