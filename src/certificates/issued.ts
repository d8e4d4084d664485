// Certificates by name, made when somebody asks for the name: kept in memory and on disk in limited number, made at a limited rate, and renewed in time.
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { writeFileAtomically } from '../io/files/atomic-file.ts';
import { readIfThere } from '../io/files/read-config-file.ts';
import type { Authority, Issued } from './authority.ts';
import type { OnCertificateNotice } from './contract.ts';
import { certificateName, hostName } from './names.ts';

export interface IssuedCertificates {
  /** For a host name as a client names it. `undefined` if it is none, is not permitted, or too many new ones were asked for. Never throws. */
  forHost(name: string): Promise<Issued | undefined>;
}

export interface IssuedOptions {
  readonly authority: Authority;
  /** Where they are kept, beside nothing else. */
  readonly directory: string;
  readonly onNotice?: OnCertificateNotice;
  readonly now?: () => Date;
  /** How many are kept; the one that was not used for longest goes. */
  readonly most?: number;
  /** How many are made at once, and milliseconds until another may be made. */
  readonly burst?: number;
  readonly interval?: number;
}

/** Days. Clients of Apple accept 398 at most, and new ones ever fewer. */
export const LIFETIME = 90;
const DAY = 24 * 60 * 60 * 1000;
/** Renewed after two thirds. */
const RENEWED_BEFORE = (LIFETIME * DAY) / 3;
/** In milliseconds. */
const TOLD_AGAIN = DAY / 24;
const SUFFIX = '.pem';
/** In characters: a longer name has no room in a file name, and is kept in memory only. */
const LONGEST_FILE = 200;

/** Opens the directory, which is made with the first certificate. */
export async function openIssued(options: IssuedOptions): Promise<IssuedCertificates> {
  const { authority, directory, onNotice, now = () => new Date(), most = 1000 } = options;
  const allowance = createAllowance(options.burst ?? 20, options.interval ?? 1000, now);
  /** The one that was not used for longest comes first. `undefined`: on disk, and not read yet. */
  const known = new Map<string, Issued | undefined>();
  const making = new Map<string, Promise<Issued | undefined>>();
  let toldAt = Number.NEGATIVE_INFINITY;
  for (const name of await namesOnDisk(directory)) known.set(name, undefined);
  await removeLeftovers(directory, now());
  await forgetBeyond(most);

  async function forgetBeyond(count: number): Promise<void> {
    for (const name of known.keys()) {
      if (known.size <= count) return;
      known.delete(name);
      await rm(fileOf(directory, name), { force: true }).catch(() => {});
    }
  }

  function tellOfHaste(name: string): void {
    const time = now().getTime();
    if (time - toldAt < TOLD_AGAIN) return;
    toldAt = time;
    onNotice?.(`names are asked for faster than certificates are made: ${name} and others get that of the machine`);
  }

  async function keep(name: string, issued: Issued): Promise<void> {
    known.delete(name);
    known.set(name, issued);
    await forgetBeyond(most);
    if (name.length > LONGEST_FILE) return;
    const text = `${issued.key}${issued.certificate}`;
    await writeFileAtomically(fileOf(directory, name), text, { mode: 0o600, durable: false }).catch((error: Error) =>
      onNotice?.(`a certificate is not kept: ${error.message}`),
    );
  }

  async function find(name: string): Promise<Issued | undefined> {
    const before =
      known.get(name) ?? (known.has(name) ? await readIssued(fileOf(directory, name), authority) : undefined);
    const left = before ? before.expires.getTime() - now().getTime() : 0;
    const isFresh = left > Math.min(RENEWED_BEFORE, (authority.expires.getTime() - now().getTime()) / 3);
    if (before && isFresh) {
      known.delete(name);
      known.set(name, before);
      return before;
    }
    if (!allowance.take()) {
      tellOfHaste(name);
      return left > 0 ? before : undefined;
    }
    const issued = await authority.issue([{ kind: 'dns', name }], { now: now(), days: LIFETIME });
    await keep(name, issued);
    return issued;
  }

  return {
    forHost: async (asked) => {
      const name = hostName(asked.toLowerCase());
      if (name === undefined || !authority.permits({ kind: 'dns', name })) return undefined;
      const there = known.get(name);
      if (there && there.expires.getTime() - now().getTime() > RENEWED_BEFORE) {
        known.delete(name);
        known.set(name, there);
        return there;
      }
      const under = making.get(name);
      if (under) return await under;
      const own = find(name)
        .catch((error: Error) => {
          onNotice?.(`no certificate for ${name}: ${error.message}`);
          return undefined;
        })
        .finally(() => making.delete(name));
      making.set(name, own);
      return await own;
    },
  };
}

/** A certificate of this CA with its key, from one file; `undefined` if there is none, or it cannot be used. */
export async function readIssued(file: string, authority: Authority): Promise<Issued | undefined> {
  try {
    const text = await readIfThere(file);
    // Whoever has read its key can pretend to be this registry.
    if (text !== undefined && ((await stat(file)).mode & 0o077) !== 0) return undefined;
    const at = text?.indexOf('-----BEGIN CERTIFICATE-----') ?? -1;
    if (text === undefined || at < 0) return undefined;
    const [key, certificate] = [text.slice(0, at), text.slice(at)];
    const parsed = new X509Certificate(certificate);
    const isOurs = authority.hasSigned(parsed) && parsed.checkPrivateKey(createPrivateKey(key));
    return isOurs ? { key, certificate, expires: parsed.validToDate } : undefined;
  } catch {
    // Damaged, or not readable any more: it is made anew.
    return undefined;
  }
}

function fileOf(directory: string, name: string): string {
  return join(directory, `${name}${SUFFIX}`);
}

/** The one written longest ago first. */
async function namesOnDisk(directory: string): Promise<readonly string[]> {
  const files = await readdir(directory).catch(() => []);
  const names = files.filter((file) => file.endsWith(SUFFIX)).map((file) => file.slice(0, -SUFFIX.length));
  const aged = await Promise.all(
    names
      .filter((name) => certificateName(name)?.kind === 'dns')
      .map(async (name) => ({
        name,
        time: (await stat(fileOf(directory, name)).catch(() => undefined))?.mtimeMs ?? 0,
      })),
  );
  return aged.sort((a, b) => a.time - b.time).map(({ name }) => name);
}

/** Half-written files, with keys in them, of processes that were killed. */
async function removeLeftovers(directory: string, now: Date): Promise<void> {
  for (const file of await readdir(directory).catch(() => [])) {
    if (!file.startsWith('.')) continue;
    const path = join(directory, file);
    const age = now.getTime() - ((await stat(path).catch(() => undefined))?.mtimeMs ?? now.getTime());
    if (age > DAY) await rm(path, { force: true }).catch(() => {});
  }
}

/** Of `burst` at once, and one more each `interval` milliseconds. */
function createAllowance(burst: number, interval: number, now: () => Date): { take(): boolean } {
  let left = burst;
  let before = now().getTime();
  return {
    take: () => {
      const time = now().getTime();
      // A clock that was set back gives nothing and takes nothing.
      left = Math.min(burst, left + Math.max(0, time - before) / interval);
      before = time;
      if (left < 1) return false;
      left -= 1;
      return true;
    },
  };
}
