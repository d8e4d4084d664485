// Trims the end of a text. `/x+$/` would be tried at each `x`, which takes quadratic time in a text full of them.

/** The text without these characters at its end. */
export function withoutEnd(text: string, characters: string): string {
  let end = text.length;
  while (end > 0 && characters.includes(text[end - 1] as string)) end--;
  return text.slice(0, end);
}
