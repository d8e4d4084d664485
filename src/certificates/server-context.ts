// What a TLS server needs, from either source: files of the operator, or an own CA.
import { X509Certificate } from 'node:crypto';
import { join } from 'node:path';
import { createSecureContext, type SecureContext } from 'node:tls';
import { writeFileAtomically } from '../io/files/atomic-file.ts';
import type { Authority, Issued } from './authority.ts';
import type { KeyAndCertificate, OnCertificateNotice, TlsContexts } from './contract.ts';
import { type GivenFiles, readGiven, stampOf } from './given.ts';
import { LIFETIME, openIssued, readIssued } from './issued.ts';
import { type CertificateName, certificateName, nameText } from './names.ts';
import { secureOptions } from './secure-options.ts';

export interface ContextOptions {
  readonly onNotice?: OnCertificateNotice;
  readonly now?: () => Date;
}

export interface AuthorityContextOptions extends ContextOptions {
  readonly authority: Authority;
  /** Where issued certificates are kept. */
  readonly directory: string;
  /** Host names and addresses of the default certificate. Those that are none, or that the CA may not have, are left out. */
  readonly names: readonly string[];
}

/** In milliseconds. */
const CHECKED_EACH = 10_000;
const DAY = 24 * 60 * 60 * 1000;

/** With a certificate of the operator. A new one that cannot be used is told of, and the old one stays. Errors: FILE_UNREADABLE, CONFIG_INVALID. */
export async function contextsFromFiles(files: GivenFiles, { onNotice }: ContextOptions = {}): Promise<TlsContexts> {
  let stamp = await stampOf(files);
  let told: string | undefined;
  return changing(await readGiven(files), {
    next: async () => {
      const now = await stampOf(files);
      if (now === stamp) return undefined;
      try {
        const next = await readGiven(files);
        [stamp, told] = [now, undefined];
        return next;
      } catch (error) {
        // Once for each state: a pair that is being replaced does not match for a moment.
        if (told !== now)
          onNotice?.(`the new certificate cannot be used, the old one stays: ${(error as Error).message}`);
        told = now;
        return undefined;
      }
    },
    contextFor: async () => undefined,
  });
}

/** With certificates of an own CA. Errors: NO_ACCESS, NO_SPACE, READ_ONLY (its default certificate cannot be kept). */
export async function contextsFromAuthority(options: AuthorityContextOptions): Promise<TlsContexts> {
  const { authority, directory, onNotice, now = () => new Date() } = options;
  const issued = await openIssued({
    authority,
    directory: join(directory, 'names'),
    now,
    ...(onNotice && { onNotice }),
  });
  const names = permittedNames(options.names, authority);
  const file = join(directory, 'default.pem');
  let current = await readIssued(file, authority);
  const isDue = ({ expires }: Issued) => expires.getTime() - now().getTime() < (LIFETIME * DAY) / 3;
  const make = async () => {
    const next = await authority.issue(names, { now: now(), days: LIFETIME });
    await writeFileAtomically(file, `${next.key}${next.certificate}`, { mode: 0o600 });
    return next;
  };
  if (!current || isDue(current) || !hasNames(current, names)) current = await make();
  let own = current;
  const contexts = new WeakMap<Issued, SecureContext>();
  return changing(own, {
    next: async () => {
      if (!isDue(own) || authority.expires.getTime() <= own.expires.getTime()) return undefined;
      try {
        own = await make();
        return own;
      } catch (error) {
        onNotice?.(`the certificate cannot be renewed: ${(error as Error).message}`);
        return undefined;
      }
    },
    contextFor: async (name) => {
      const found = await issued.forHost(name);
      if (!found) return undefined;
      const context = contexts.get(found) ?? createSecureContext(secureOptions(found));
      contexts.set(found, context);
      return context;
    },
  });
}

function changing(
  first: KeyAndCertificate,
  { next, contextFor }: { next(): Promise<KeyAndCertificate | undefined>; contextFor: TlsContexts['contextFor'] },
): TlsContexts {
  let current = first;
  let looking: Promise<void> | undefined;
  const listeners = new Set<(next: KeyAndCertificate) => void>();
  const look = async () => {
    const found = await next();
    if (!found) return;
    current = found;
    for (const listener of listeners) listener(found);
  };
  const refresh = () => {
    looking ??= look().finally(() => {
      looking = undefined;
    });
    return looking;
  };
  const timer = setInterval(() => void refresh(), CHECKED_EACH).unref();
  return {
    current: () => current,
    onChange: (listener) => void listeners.add(listener),
    contextFor,
    refresh,
    [Symbol.dispose]: () => clearInterval(timer),
  };
}

function permittedNames(texts: readonly string[], authority: Authority): readonly CertificateName[] {
  const names = texts.map(certificateName).filter((name) => name !== undefined && authority.permits(name));
  const unique = new Map(names.map((name) => [nameText(name as CertificateName), name as CertificateName]));
  // A certificate has a name, though this one is for clients that name nothing that could have one.
  const instead = authority.constraints?.names[0] ?? 'localhost';
  return unique.size > 0 ? [...unique.values()] : [{ kind: 'dns', name: instead }];
}

/** Whether a certificate has exactly these names. */
function hasNames({ certificate }: KeyAndCertificate, names: readonly CertificateName[]): boolean {
  const parsed = new X509Certificate(certificate);
  const count = parsed.subjectAltName?.split(', ').length ?? 0;
  const isIn = (name: CertificateName) =>
    name.kind === 'dns' ? parsed.checkHost(name.name, { wildcards: false }) : parsed.checkIP(name.address);
  return count === names.length && names.every(isIn);
}
