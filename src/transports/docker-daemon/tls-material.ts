// The certificates with which a Docker daemon is spoken to: ca.pem, cert.pem and key.pem of one directory.
import { join } from 'node:path';
import { readIfThere } from '../../io/files/read-config-file.ts';

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
    ['ca.pem', 'cert.pem', 'key.pem'].map((name) => readIfThere(join(directory, name))),
  );
  return { ...(ca && { ca }), ...(cert && { cert }), ...(key && { key }) };
}
