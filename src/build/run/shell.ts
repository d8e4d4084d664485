// Quotes words for shell scripts (POSIX.1-2017, Shell Command Language, 2.2.2).

/** Quotes any text as one word. */
export function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

export function command(...words: readonly string[]): string {
  return words.map(quoted).join(' ');
}
