// A list of references from outside (`kubeadm config images list | images lreg_preload -`): one a line.
import type { Bytes } from '../registry/contract.ts';

/** References in their order, unique. Blank lines, `#` comments, quotes, a leading `- ` and Windows line ends are taken as what they are. */
export async function readReferenceList(input: Bytes): Promise<readonly string[]> {
  const decoder = new TextDecoder();
  let text = '';
  for await (const chunk of input) text += decoder.decode(chunk, { stream: true });
  return [...new Set((text + decoder.decode()).split(/\r?\n/).map(referenceOf).filter(Boolean))];
}

function referenceOf(line: string): string {
  const text = line
    .replace(/(?:^|\s)#.*$/, '')
    .replace(/^\s*-\s+/, '')
    .trim();
  return withoutQuotes(text);
}

/** Quotes around a reference are tolerated wherever one is taken. */
export function withoutQuotes(text: string): string {
  return text.trim().replaceAll(/["']/g, '');
}
