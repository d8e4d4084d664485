// What `node_config --apply` has written to a node, and what was there before: by it, it is undone.
import { createHash } from 'node:crypto';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { writeFileAtomically } from '../../io/files/atomic-file.ts';
import { isFsError, translateFsError } from '../../io/files/fs-errors.ts';
import type { SharedKind } from '../../nodes/node-file.ts';
import { isObject } from '../../oci/decode.ts';
import { ImagesError } from '../../oci/errors.ts';

/** Below the root of the node. */
export const RECORD_DIRECTORY = 'var/lib/private-reg';

export interface RecordedFile {
  readonly path: string;
  /** SHA-256 of the file as it was written, in hex. */
  readonly wrote: string;
  /** The same of the file as it was until then: while a writing goes on, it may be either. */
  readonly earlier?: string;
  /** What of it is ours. */
  readonly ours: string;
  readonly shared?: SharedKind;
  /** The file as it was before, byte for byte, in base64. Without it there was none. */
  readonly before?: { readonly bytes: string; readonly mode: number; readonly uid: number; readonly gid: number };
}

export interface NodeRecord {
  readonly files: readonly RecordedFile[];
  /** Directories that were made, the topmost first. */
  readonly directories: readonly string[];
}

/** Empty if nothing was written. Errors: CONFIG_INVALID, NO_ACCESS. */
export async function readNodeRecord(root: string): Promise<NodeRecord> {
  const file = fileOf(root);
  try {
    const value: unknown = JSON.parse(await readFile(file, 'utf8'));
    if (isRecord(value)) return value;
  } catch (error) {
    if (isFsError(error, 'ENOENT', 'ENOTDIR')) return { files: [], directories: [] };
    if (!(error instanceof SyntaxError)) throw translateFsError(error, file);
  }
  throw new ImagesError('CONFIG_INVALID', `the record of what was written cannot be read [${file}]`, {
    hint: 'It has the files as they were before, in base64. Put them back by hand, and remove it.',
  });
}

/** Errors: NO_ACCESS, NO_SPACE, READ_ONLY. */
export async function writeNodeRecord(root: string, record: NodeRecord): Promise<void> {
  // What was there before may hold passwords.
  if (record.files.length > 0)
    await writeFileAtomically(fileOf(root), JSON.stringify(record), { like: { mode: 0o600 } });
  else await rm(join(root, RECORD_DIRECTORY), { recursive: true, force: true });
}

export function contentHash(content: Uint8Array | string): string {
  return createHash('sha256').update(content).digest('hex');
}

function fileOf(root: string): string {
  return join(root, RECORD_DIRECTORY, 'record.json');
}

/** The file is root's own, so only a torn one is told. */
function isRecord(value: unknown): value is NodeRecord {
  if (!isObject(value) || !Array.isArray(value.files) || !Array.isArray(value.directories)) return false;
  return value.files.every(
    (file: unknown) => isObject(file) && typeof file.path === 'string' && !file.path.split('/').includes('..'),
  );
}
