// Text from outside (what images say of themselves, answers of registries, names of files) as it may go to a terminal: nothing in it drives the terminal, or turns a
// line around so that it reads as another one.

/** Unicode's marks of direction: embeddings, overrides, isolates and their ends (UAX #9), and the separators that break a line. */
const DIRECTION = '\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069';
const UNSAFE = new RegExp(`[\u0000-\u0008\u000b-\u001f\u007f-\u009f${DIRECTION}]`, 'g');
const UNSAFE_IN_OUTPUT = new RegExp(
  `\x1b\\[[0-9;]*m|[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f${DIRECTION}]`,
  'g',
);
const BEYOND_ASCII = /[\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;

/** Lines stay lines. */
export function safeText(text: string): string {
  return text.replaceAll(UNSAFE, '?');
}

export function safeLine(text: string): string {
  return safeText(text.replaceAll(/\s+/g, (blanks) => (/[\r\n]/.test(blanks) ? ' ' : blanks)));
}

/** What programs print: they may use colours. What moves the cursor or rings is left out. */
export function safeOutput(text: string): string {
  return text.replaceAll(UNSAFE_IN_OUTPUT, (found) => (found.length > 1 ? found : ''));
}

/** JSON's own escapes in the place of what terminals obey: the value stays the same. */
export function safeJson(json: string): string {
  return json.replaceAll(BEYOND_ASCII, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
