// A certificate and its key from two files of the operator, read again when they change.
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { createSecureContext } from 'node:tls';
import { readIfThere } from '../io/files/read-config-file.ts';
import { ImagesError } from '../oci/errors.ts';
import type { KeyAndCertificate } from './contract.ts';
import { secureOptions } from './secure-options.ts';

export interface GivenFiles {
  /** PEM: the certificate of the server first, then those that lead to its root. */
  readonly certificate: string;
  /** PEM, without a passphrase. */
  readonly key: string;
}

export interface GivenPair extends KeyAndCertificate {
  readonly notBefore: Date;
  readonly expires: Date;
  /** Whoever is on this machine can read the key. */
  readonly isKeyOpen: boolean;
}

/** Errors: FILE_UNREADABLE, CONFIG_INVALID (also of what a TLS server would not take); both name the file. */
export async function readGiven(files: GivenFiles): Promise<GivenPair> {
  const certificate = await mustRead(files.certificate);
  const key = await mustRead(files.key);
  const parsed = parsedOr(files.certificate, 'holds no certificate in PEM', () => new X509Certificate(certificate));
  const what = key.includes('ENCRYPTED')
    ? 'is encrypted: nobody is there to type its passphrase'
    : 'holds no key in PEM';
  const parsedKey = parsedOr(files.key, what, () => createPrivateKey(key));
  if (!parsed.checkPrivateKey(parsedKey)) {
    throw new ImagesError(
      'CONFIG_INVALID',
      `certificate and key do not belong together [${files.certificate}, ${files.key}]`,
      {
        hint: 'The first certificate in the file must be that of the server; those of its CA follow.',
      },
    );
  }
  checkWhole(files, { key, certificate });
  const isKeyOpen = ((await stat(files.key).catch(() => undefined))?.mode ?? 0) & 0o004;
  return {
    ...{ key, certificate },
    ...{ notBefore: parsed.validFromDate, expires: parsed.validToDate, isKeyOpen: isKeyOpen !== 0 },
  };
}

/** Certificates after the first one, and keys that are too short, only the making of a context looks at. */
function checkWhole(files: GivenFiles, pair: KeyAndCertificate): void {
  try {
    createSecureContext(secureOptions(pair));
  } catch (error) {
    const reason = error instanceof Error && 'reason' in error ? ` (${error.reason})` : '';
    throw new ImagesError('CONFIG_INVALID', `no server can use ${files.certificate} with ${files.key}${reason}`, {
      hint: 'One of the certificates after the first is damaged, or the key is too short: RSA needs 2048 bits.',
    });
  }
}

/** Changes with the files; also when they are links that lead elsewhere now, as Kubernetes and certbot do it. */
export async function stampOf(files: GivenFiles): Promise<string> {
  const stats = await Promise.all(
    [files.certificate, files.key].map((file) => stat(file, { bigint: true }).catch(() => undefined)),
  );
  return stats.map((found) => (found ? `${found.dev}:${found.ino}:${found.mtimeNs}:${found.size}` : '-')).join(' ');
}

async function mustRead(file: string): Promise<string> {
  const text = await readIfThere(file);
  if (text === undefined) {
    throw new ImagesError('FILE_UNREADABLE', `no such file [${file}]`, {
      hint: 'A certificate and its key are needed, each in PEM: check both names.',
    });
  }
  return text;
}

/** Without the cause: it may quote the key. */
function parsedOr<T>(file: string, what: string, parse: () => T): T {
  try {
    return parse();
  } catch {
    throw new ImagesError('CONFIG_INVALID', `${file} ${what}`, {
      hint: 'Both files are in PEM: they begin with -----BEGIN.',
    });
  }
}
