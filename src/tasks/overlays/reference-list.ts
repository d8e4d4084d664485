// Parses a list of references (`kubeadm config images list | images lreg_preload -`): one in each line, or a JSON array.

export interface ListedReference {
  readonly reference: string;
  /** Counted from 1. */
  readonly line: number;
}

/** Accepts blank lines, `#` comments, quotes, a leading `- ` and CRLF line ends. */
export function listedReferences(text: string): readonly ListedReference[] {
  const json = jsonStrings(text);
  if (json) return json.map((item) => ({ reference: withoutQuotes(item), line: 1 }));
  return text
    .split(/\r?\n/)
    .map((line, at) => ({ reference: referenceOf(line), line: at + 1 }))
    .filter(({ reference }) => reference !== '');
}

/** Whether a text is a manifest and not a list: YAML or JSON whose first line begins a mapping, a sequence or a document. A reference has no space after its colon. */
export function isManifestText(text: string): boolean {
  if (jsonStrings(text)) return false;
  const first = text.split('\n').find((line) => /^[^\s#\uFEFF]/.test(line.replace(/^[\s\uFEFF]+/, ''))) ?? '';
  return /^[\s\uFEFF]*(?:---|%YAML|[{[]|(?:- +)?["']?[\w./-]+["']?\s*:(?:\s|$))/.test(first);
}

function jsonStrings(text: string): readonly string[] | undefined {
  if (!/^[\s\uFEFF]*\[/.test(text)) return undefined;
  try {
    const value: unknown = JSON.parse(text.replace(/^\uFEFF/, ''));
    return Array.isArray(value) && value.every((item) => typeof item === 'string') ? value : undefined;
  } catch {
    return undefined;
  }
}

function referenceOf(line: string): string {
  const text = line
    .replace(/(?:^|\s)#.*$/s, '')
    .replace(/^\s*-\s+/, '')
    .trim();
  return withoutQuotes(text);
}

/** References from users and lists may have quotes around them. */
export function withoutQuotes(text: string): string {
  return text.trim().replaceAll(/["']/g, '');
}
