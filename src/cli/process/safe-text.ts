// Makes text from outside (from images, answers of registries, names of files) safe for a terminal: it cannot control the terminal, or reverse the direction of a line so that it
// reads differently.

/** Unicode's bidirectional controls: embeddings, overrides, isolates and their ends (UAX #9), and the line and paragraph separators. */
const DIRECTION = '\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069';
const UNSAFE = new RegExp(`[\u0000-\u0008\u000b-\u001f\u007f-\u009f${DIRECTION}]`, 'g');
const UNSAFE_IN_OUTPUT = new RegExp(
  `\x1b\\[[0-9;]*m|[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f${DIRECTION}]`,
  'g',
);
const BEYOND_ASCII = /[\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;

/** Replaces control characters, but keeps line ends. */
export function safeText(text: string): string {
  return text.replaceAll(UNSAFE, '?');
}

export function safeLine(text: string): string {
  return safeText(text.replaceAll(/\s+/g, (blanks) => (/[\r\n]/.test(blanks) ? ' ' : blanks)));
}

/** For output of programs: keeps colours. Other control sequences, which move the cursor or ring the bell, are removed. */
export function safeOutput(text: string): string {
  return text.replaceAll(UNSAFE_IN_OUTPUT, (found) => (found.length > 1 ? found : ''));
}

/** Replaces control characters by JSON escapes, so the value stays the same. */
export function safeJson(json: string): string {
  return json.replaceAll(BEYOND_ASCII, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
