// The certificates with which a Docker daemon is spoken to: ca.pem, cert.pem and key.pem of one directory.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isFsError } from '../../io/fs-errors.ts';
import { ImagesError } from '../../oci/errors.ts';

/** PEM texts. */
export interface TlsMaterial {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  /** False: any certificate of the daemon will do. */
  readonly verify: boolean;
}

/** What is not there is left out. Errors: FILE_UNREADABLE. */
export async function readTls(directory: string): Promise<Omit<TlsMaterial, 'verify'>> {
  const [ca, cert, key] = await Promise.all(
    ['ca.pem', 'cert.pem', 'key.pem'].map((name) => pem(join(directory, name))),
  );
  return { ...(ca && { ca }), ...(cert && { cert }), ...(key && { key }) };
}

async function pem(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (cause) {
    if (isFsError(cause, 'ENOENT', 'ENOTDIR')) return undefined;
    throw new ImagesError('FILE_UNREADABLE', `cannot read ${path}`, { cause });
  }
}
