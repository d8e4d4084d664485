// A list of references from outside (`kubeadm config images list | images lreg_preload -`): one a line, or a JSON array of them.

export interface ListedReference {
  readonly reference: string;
  /** From 1. */
  readonly line: number;
}

/** Blank lines, `#` comments, quotes, a leading `- ` and Windows line ends are taken as what they are. */
export function listedReferences(text: string): readonly ListedReference[] {
  const json = jsonStrings(text);
  if (json) return json.map((item) => ({ reference: withoutQuotes(item), line: 1 }));
  return text
    .split(/\r?\n/)
    .map((line, at) => ({ reference: referenceOf(line), line: at + 1 }))
    .filter(({ reference }) => reference !== '');
}

/**
 * Whether a text is no list but a manifest: YAML or JSON whose first line opens a mapping, a sequence or a document.
 * In a reference no blank follows the colon.
 */
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

/** Quotes around a reference are tolerated wherever one is taken. */
export function withoutQuotes(text: string): string {
  return text.trim().replaceAll(/["']/g, '');
}
