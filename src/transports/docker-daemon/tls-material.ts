// The certificates for a connection to a Docker daemon: ca.pem, cert.pem and key.pem in one directory.
import { join } from 'node:path';
import { readIfThere } from '../../io/files/read-config-file.ts';

/** Texts in PEM format. */
export interface TlsMaterial {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  /** False: any certificate of the daemon is accepted. */
  readonly verify: boolean;
}

/** Files that do not exist are left out. Errors: FILE_UNREADABLE. */
export async function readTls(directory: string): Promise<Omit<TlsMaterial, 'verify'>> {
  const [ca, cert, key] = await Promise.all(
    ['ca.pem', 'cert.pem', 'key.pem'].map((name) => readIfThere(join(directory, name))),
  );
  return { ...(ca && { ca }), ...(cert && { cert }), ...(key && { key }) };
}
