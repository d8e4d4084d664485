// What standard input names where `-` is given: a list of references, or manifests (`helm template … | images lreg_preload -`, a Carvel
// ImagesLock, a Chart.yaml with its images annotated), which are read as files are.
import type { Bytes } from '../registry/contract.ts';
import type { Finding, ScanResult } from '../scan/contract.ts';
import { isManifest, listedReferences } from './reference-list.ts';

/** The rule of what a list names. */
export const LIST = 'list';

/** As findings in the file `-`. Lines of a list stand as they are: whether they are references is for the reader to see. */
export async function inputImages(input: Bytes): Promise<ScanResult> {
  const decoder = new TextDecoder();
  let text = '';
  for await (const chunk of input) text += decoder.decode(chunk, { stream: true });
  text += decoder.decode();
  if (isManifest(text)) return await scanManifest('-', text);
  const findings = new Map<string, Finding>();
  for (const { reference: image, line } of listedReferences(text)) {
    if (findings.has(image)) continue;
    findings.set(image, { image, certainty: 'used', rule: LIST, place: { file: '-', line, path: '' } });
  }
  return { findings: [...findings.values()], warnings: [] };
}

/** One text through the document rules. */
export async function scanManifest(file: string, text: string): Promise<ScanResult> {
  // The parser and the rules cost start-up time that lists need not pay.
  const [{ findInText }, { DOCUMENT_RULES }] = await Promise.all([
    import('../scan/find-in-text.ts'),
    import('../scan/rules.ts'),
  ]);
  return findInText(file, text, DOCUMENT_RULES);
}
