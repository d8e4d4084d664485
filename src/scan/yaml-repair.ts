// Go's YAML parsers take a closing bracket that stands no deeper than its key, js-yaml does not (YAML 1.2.2, 7.4: flow content is indented).
// Many charts and manifests are written so.

/** The text with such brackets moved in; lines stay lines. For texts that do not parse as they are. */
export function indentClosingBrackets(text: string): string {
  return text.replace(/^([ \t]*)([\]}][\]},]*[ \t]*(?:#.*)?)$/gm, '$1  $2');
}
