// What standard input names where `-` is given: a list of references, or manifests (`helm template … | images lreg_preload -`, a Carvel
// ImagesLock, a Chart.yaml with its images annotated), which are read as files are.
import { readFile, stat } from 'node:fs/promises';
import { translateFsError } from '../io/fs-errors.ts';
import { ImagesError } from '../oci/errors.ts';
import type { Bytes } from '../registry/contract.ts';
import type { Finding, ScanResult } from '../scan/contract.ts';
import { isManifest, listedReferences } from './reference-list.ts';

/** As for the files of a directory. */
const MAX_TEXT = 64 << 20;

/** The rule of what a list names. */
export const LIST = 'list';

/** As findings in the file `-`. Lines of a list stand as they are: whether they are references is for the reader to see. */
export async function inputImages(input: Bytes): Promise<ScanResult> {
  const text = await readText(input);
  if (isManifest(text)) return await scanManifest('-', text);
  const findings = new Map<string, Finding>();
  for (const { reference: image, line } of listedReferences(text)) {
    if (findings.has(image)) continue;
    findings.set(image, { image, certainty: 'used', rule: LIST, place: { file: '-', line, path: '' } });
  }
  return { findings: [...findings.values()], warnings: [] };
}

async function readText(input: Bytes): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of input) {
    size += chunk.length;
    if (size > MAX_TEXT) throw tooLarge('standard input');
    chunks.push(chunk);
  }
  return new TextDecoder().decode(Buffer.concat(chunks));
}

/** What is found in one file. Errors: FILE_UNREADABLE, NO_ACCESS. */
export async function scanFile(path: string): Promise<ScanResult> {
  try {
    if ((await stat(path)).size > MAX_TEXT) throw tooLarge(path);
    return await scanManifest(path, await readFile(path, 'utf8'));
  } catch (error) {
    throw translateFsError(error, path);
  }
}

function tooLarge(what: string): ImagesError {
  return new ImagesError('FILE_UNREADABLE', `larger than ${MAX_TEXT >> 20} MiB [${what}]`, {
    hint: 'Manifests and lists of images are smaller: check what was given.',
  });
}

/** One text through the document rules. */
async function scanManifest(file: string, text: string): Promise<ScanResult> {
  // The parser and the rules cost start-up time that lists need not pay.
  const [{ findInText }, { DOCUMENT_RULES }] = await Promise.all([
    import('../scan/find-in-text.ts'),
    import('../scan/rules.ts'),
  ]);
  return findInText(file, text, DOCUMENT_RULES);
}
