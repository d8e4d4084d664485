// What a TLS server needs, from either source: files of the operator, or an own CA.
import { X509Certificate } from 'node:crypto';
import { join } from 'node:path';
import { createSecureContext, type SecureContext } from 'node:tls';
import { writeFileAtomically } from '../io/files/atomic-file.ts';
import type { Authority, Issued } from './authority.ts';
import type { KeyAndCertificate, OnCertificateNotice, TlsContexts } from './contract.ts';
import { type GivenFiles, type GivenPair, readGiven, stampOf } from './given.ts';
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
  /** Host names and addresses of the default certificate, as they are now. Those that are none, or that the CA may not have, are left out. */
  names(): readonly string[];
}

/** In milliseconds. */
const CHECKED_EACH = 10_000;
const DAY = 24 * 60 * 60 * 1000;
/** Of a certificate that the operator has to replace. */
const ENDS_SOON = 14 * DAY;

/** With a certificate of the operator. A new one that cannot be used is told of, and the old one stays. Errors: FILE_UNREADABLE, CONFIG_INVALID. */
export async function contextsFromFiles(
  files: GivenFiles,
  { onNotice, now = () => new Date() }: ContextOptions = {},
): Promise<TlsContexts> {
  let stamp = await stampOf(files);
  let told: string | undefined;
  let given = await readGiven(files);
  let doubts: readonly string[] = [];
  const tellDoubts = () => {
    const found = doubtsAbout(given, files, now());
    for (const doubt of found) if (!doubts.includes(doubt)) onNotice?.(doubt);
    doubts = found;
  };
  tellDoubts();
  return changing(given, {
    next: async () => {
      const state = await stampOf(files);
      if (state === stamp) {
        tellDoubts();
        return undefined;
      }
      try {
        given = await readGiven(files);
      } catch (error) {
        // Once for each state: a pair that is being replaced does not match for a moment.
        if (told !== state)
          onNotice?.(`the new certificate cannot be used, the old one stays: ${(error as Error).message}`);
        told = state;
        tellDoubts();
        return undefined;
      }
      [stamp, told] = [state, undefined];
      tellDoubts();
      return { key: given.key, certificate: given.certificate };
    },
    contextFor: async () => undefined,
    onNotice,
  });
}

/** What clients, or thieves, will notice: it works all the same, so that a clock that is wrong ends nothing. */
function doubtsAbout({ notBefore, expires, isKeyOpen }: GivenPair, files: GivenFiles, now: Date): readonly string[] {
  const left = expires.getTime() - now.getTime();
  const doubts = [
    left <= 0 && 'has expired: clients refuse it',
    left > 0 && left < ENDS_SOON && `ends on ${expires.toISOString().slice(0, 10)}: renew it`,
    notBefore > now && `begins on ${notBefore.toISOString().slice(0, 10)}: clients refuse it until then`,
  ].filter((doubt) => doubt !== false);
  return [
    ...doubts.map((doubt) => `the certificate ${doubt} [${files.certificate}]`),
    ...(isKeyOpen ? [`everybody on this machine can read the key: chmod o-r ${files.key}`] : []),
  ];
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
  const namesNow = () => permittedNames(options.names(), authority);
  const file = join(directory, 'default.pem');
  let current = await readIssued(file, authority);
  const isDue = ({ expires }: Issued) => expires.getTime() - now().getTime() < (LIFETIME * DAY) / 3;
  const make = async () => {
    const next = await authority.issue(namesNow(), { now: now(), days: LIFETIME });
    await writeFileAtomically(file, `${next.key}${next.certificate}`, { mode: 0o600 });
    return next;
  };
  if (!current || isDue(current) || !hasExactly(current, namesNow())) current = await make();
  let own = current;
  const contexts = new WeakMap<Issued, SecureContext>();
  let isTold = false;
  return changing(own, {
    next: async () => {
      const isOld = isDue(own) && authority.expires.getTime() > own.expires.getTime();
      // A bridge for VMs may be made long after the registry was started.
      if (!isOld && !lacksAddress(own, namesNow())) return undefined;
      try {
        own = await make();
        isTold = false;
        return own;
      } catch (error) {
        if (!isTold) onNotice?.(`the certificate cannot be renewed: ${(error as Error).message}`);
        isTold = true;
        return undefined;
      }
    },
    onNotice,
    contextFor: async (name) => {
      const found = await issued.forHost(name);
      if (!found) return undefined;
      const context = contexts.get(found) ?? createSecureContext(secureOptions(found));
      contexts.set(found, context);
      return context;
    },
  });
}

interface Changes {
  /** The next certificate, if there is one now. */
  next(): Promise<KeyAndCertificate | undefined>;
  readonly contextFor: TlsContexts['contextFor'];
  readonly onNotice: OnCertificateNotice | undefined;
}

function changing(first: KeyAndCertificate, { next, contextFor, onNotice }: Changes): TlsContexts {
  let current = first;
  let looking: Promise<void> | undefined;
  const listeners = new Set<(next: KeyAndCertificate) => void>();
  const look = async () => {
    try {
      const found = await next();
      if (!found) return;
      for (const listener of listeners) listener(found);
      current = found;
    } catch (error) {
      // Nobody waits for it, so it must not end the process.
      onNotice?.(`the certificate stays as it is: ${(error as Error).message}`);
    }
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

/** Whether a certificate has these names and no others. */
function hasExactly(pair: KeyAndCertificate, names: readonly CertificateName[]): boolean {
  const parsed = new X509Certificate(pair.certificate);
  const count = parsed.subjectAltName?.split(', ').length ?? 0;
  return count === names.length && names.every((name) => isIn(name, parsed));
}

/** Link-local addresses do not count: each container that is started brings one. */
function lacksAddress(pair: KeyAndCertificate, names: readonly CertificateName[]): boolean {
  const parsed = new X509Certificate(pair.certificate);
  return names.some((name) => name.kind === 'ip' && !/^fe[89ab]/.test(name.address) && !isIn(name, parsed));
}

function isIn(name: CertificateName, certificate: X509Certificate): boolean {
  const found =
    name.kind === 'dns' ? certificate.checkHost(name.name, { wildcards: false }) : certificate.checkIP(name.address);
  return found !== undefined;
}
