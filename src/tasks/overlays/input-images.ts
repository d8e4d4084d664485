// Standard input as an item (`-`): a list of references, or manifests (`helm template … | images lreg_preload -`, a Carvel ImagesLock, a Chart.yaml with images in its
// annotations). Manifests are read like files.
import { readFile, stat } from 'node:fs/promises';
import { translateFsError } from '../../io/files/fs-errors.ts';
import type { Bytes } from '../../io/streams/bytes.ts';
import { ImagesError } from '../../oci/errors.ts';
import type { Finding, ScanResult } from '../../scan/contract.ts';
import type { ScanFileOptions } from '../../scan/scan-file.ts';
import { isManifestText, listedReferences } from './reference-list.ts';

/** The same limit as for the files of a directory. */
const MAX_TEXT = 64 << 20;

/** The name of the rule for entries of a list. */
export const LIST_RULE = 'list';

/** Returns the images as findings in the file `-`. Lines of a list are not validated as references, that is left to the caller. Errors: FILE_UNREADABLE. */
export async function inputImages(input: Bytes, options: ScanFileOptions = {}): Promise<ScanResult> {
  const bytes = await readBytes(input);
  if (bytes[0] === 0x1f && bytes[1] === 0x8b) return await (await scanning()).scanPackedChart('-', bytes, options);
  const text = new TextDecoder().decode(bytes);
  if (isManifestText(text)) return await (await scanning()).scanFile('-', bytes, options);
  const findings = new Map<string, Finding>();
  for (const { reference: image, line } of listedReferences(text)) {
    if (findings.has(image)) continue;
    findings.set(image, { image, certainty: 'used', rule: LIST_RULE, position: { file: '-', line, path: '' } });
  }
  return { findings: [...findings.values()], warnings: [] };
}

async function readBytes(input: Bytes): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of input) {
    size += chunk.length;
    if (size > MAX_TEXT) throw tooLarge('standard input');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/**
 * The images in one file: a manifest, a packed chart, or a file that stands for its directory (Chart.yaml, a kustomization, a Compose file). Errors:
 * FILE_UNREADABLE, NO_ACCESS.
 */
export async function scanInputFile(path: string, options: ScanFileOptions = {}): Promise<ScanResult> {
  return await (await scanning()).scanFile(path, await readWhole(path), options);
}

async function readWhole(path: string): Promise<Buffer> {
  try {
    if ((await stat(path)).size > MAX_TEXT) throw tooLarge(path);
    return await readFile(path);
  } catch (error) {
    throw translateFsError(error, path);
  }
}

function tooLarge(what: string): ImagesError {
  return new ImagesError('FILE_UNREADABLE', `larger than ${MAX_TEXT >> 20} MiB [${what}]`, {
    hint: 'Manifests and lists of images are smaller: check what was given.',
  });
}

/** Loaded lazily: the parser and the rules cost start-up time, and lists do not need them. */
function scanning(): Promise<typeof import('../../scan/scan-file.ts')> {
  return import('../../scan/scan-file.ts');
}
