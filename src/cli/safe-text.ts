// Text from outside (what images say of themselves, answers of registries) as it may go to a terminal: no control character drives it.

/** Lines stay lines. */
export function safeText(text: string): string {
  return text.replaceAll(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/g, '?');
}
