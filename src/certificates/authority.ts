// The CA of a registry: made at first use, in a directory of its own (`ca.key`, which only its owner can read, and `ca.crt`). Relies on io/files: two processes that
// begin at once make one.
import { createPrivateKey, generateKeyPairSync, type KeyObject, X509Certificate } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { writeFileAtomically } from '../io/files/atomic-file.ts';
import { acquireLock } from '../io/files/lock.ts';
import { readIfThere } from '../io/files/read-config-file.ts';
import { quote } from '../io/text/quote.ts';
import { ImagesError } from '../oci/errors.ts';
import { authorityFile } from './authority-file.ts';
import type { KeyAndCertificate } from './contract.ts';
import { isPermitted, type NameConstraintLists } from './name-constraints.ts';
import type { CertificateName } from './names.ts';
import { constraintsOf, signedCertificate } from './x509.ts';

export interface Authority {
  /** PEM. Whoever trusts it trusts all that the CA signs. */
  readonly certificate: string;
  readonly expires: Date;
  /** For which names alone it was made. */
  readonly constraints?: NameConstraintLists;
  permits(name: CertificateName): boolean;
  /** A certificate with a new key, for a server with these names, all of which are permitted. */
  issue(names: readonly CertificateName[], times: { readonly now: Date; readonly days: number }): Promise<Issued>;
  /** Whether this CA has signed it. */
  hasSigned(certificate: X509Certificate): boolean;
}

export interface Issued extends KeyAndCertificate {
  readonly expires: Date;
}

export interface AuthorityOptions {
  readonly directory: string;
  /** The machine, for people who find the CA among those that they trust. */
  readonly machine: string;
  /** For which names alone it can make certificates. */
  readonly constraints?: NameConstraintLists;
  readonly now?: () => Date;
}

const DAY = 24 * 60 * 60 * 1000;
const HOUR = 60 * 60 * 1000;
const ANEW = 'remove ca.crt and ca.key there: a new CA is made, which clients have to be told of.';
const YEARS = 10;
/** In characters (RFC 5280, appendix A: ub-common-name). */
const LONGEST_COMMON_NAME = 64;
/** No host name, so nothing takes it for one where a certificate has only addresses. */
const SERVER_NAME = 'images registry';

/**
 * Opens the CA in a directory, or makes one. Errors: CONFIG_INVALID (what is there is no CA, belongs to another key, has expired, has other name constraints, or others
 * can read its key), FILE_UNREADABLE, NO_ACCESS, NO_SPACE, READ_ONLY.
 */
export async function openAuthority(options: AuthorityOptions): Promise<Authority> {
  const there = await readAuthority(options);
  if (there) return there;
  await using _lock = await acquireLock(join(options.directory, '.making'));
  return (await readAuthority(options)) ?? (await makeAuthority(options));
}

/** The CA in a directory, `undefined` if there is none. Errors: CONFIG_INVALID, FILE_UNREADABLE. */
export async function readAuthority(options: Omit<AuthorityOptions, 'machine'>): Promise<Authority | undefined> {
  const { directory, now = () => new Date() } = options;
  const file = authorityFile(directory);
  const certificateText = await readIfThere(file);
  if (certificateText === undefined) return undefined;
  const keyFile = join(directory, 'ca.key');
  const keyText = (await readIfThere(keyFile)) ?? unusable(keyFile, 'is missing: it is the key of ca.crt beside it');
  if (((await stat(keyFile)).mode & 0o077) !== 0) {
    throw new ImagesError('CONFIG_INVALID', `others can read the key of the CA [${keyFile}]`, {
      hint: `Who has read it can pretend to be any registry. If nobody has: chmod 600 ${keyFile}; else remove both files, and make a new CA.`,
    });
  }
  const certificate = parsed(file, () => new X509Certificate(certificateText));
  const key = parsed(keyFile, () => createPrivateKey(keyText));
  if (!certificate.ca) unusable(file, 'is not the certificate of a CA');
  if (!certificate.checkPrivateKey(key)) unusable(file, 'belongs to another key than ca.key beside it');
  if (certificate.validToDate <= now()) {
    throw new ImagesError('CONFIG_INVALID', `the CA has expired [${file}]`, {
      hint: 'Remove ca.crt and ca.key there: a new one is made, which clients have to be told of.',
    });
  }
  const recorded = await constraintsOf(certificate);
  if (options.constraints && JSON.stringify(options.constraints) !== JSON.stringify(recorded)) {
    throw new ImagesError('CONFIG_INVALID', `the CA was made for other names [${file}]`, {
      hint: `Use the same names as then, or ${ANEW}`,
    });
  }
  return authorityOf(certificate, key, recorded);
}

async function makeAuthority({ directory, machine, constraints, now = () => new Date() }: AuthorityOptions) {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const certificateText = await signedCertificate(
    {
      commonName: quote(`images registry of ${machine}`, LONGEST_COMMON_NAME),
      publicKey,
      notBefore: new Date(now().getTime() - HOUR),
      notAfter: new Date(now().getTime() + YEARS * 365 * DAY),
      authority: constraints ? { constraints } : {},
    },
    { key: privateKey },
  );
  // The certificate comes last: where it is, the rest is.
  await writeFileAtomically(join(directory, 'ca.key'), pemOf(privateKey), { mode: 0o600 });
  await writeFileAtomically(authorityFile(directory), certificateText, { mode: 0o644 });
  return authorityOf(new X509Certificate(certificateText), privateKey, constraints);
}

function authorityOf(
  certificate: X509Certificate,
  key: KeyObject,
  constraints: NameConstraintLists | undefined,
): Authority {
  const text = certificate.toString();
  return {
    certificate: text,
    expires: certificate.validToDate,
    ...(constraints && { constraints }),
    permits: (name) => isPermitted(name, constraints),
    hasSigned: (other) => other.checkIssued(certificate) && other.verify(certificate.publicKey),
    issue: async (names, { now, days }) => {
      const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' });
      const expires = new Date(Math.min(now.getTime() + days * DAY, certificate.validToDate.getTime()));
      const notBefore = new Date(now.getTime() - HOUR);
      const leaf = await signedCertificate(
        { commonName: SERVER_NAME, publicKey: pair.publicKey, notBefore, notAfter: expires, names },
        { key, certificate },
      );
      return { key: pemOf(pair.privateKey), certificate: leaf, expires };
    },
  };
}

/** One of the two files alone is of no use, so neither is to be removed alone. */
function unusable(file: string, what: string): never {
  throw new ImagesError('CONFIG_INVALID', `${file} ${what}`, { hint: `Bring back the right file, or ${ANEW}` });
}

function pemOf(key: KeyObject): string {
  return key.export({ type: 'pkcs8', format: 'pem' }).toString();
}

/** Without the cause: it may quote the file. */
function parsed<T>(file: string, parse: () => T): T {
  try {
    return parse();
  } catch {
    return unusable(file, 'is not in PEM, or is damaged');
  }
}
