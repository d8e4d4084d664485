// An own CA: what openssl says of its certificates, who can read its key, and what is refused.
import { spawnSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { chmodSync, copyFileSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type Authority, type AuthorityOptions, openAuthority, readAuthority } from './authority.ts';
import { authorityFile } from './authority-file.ts';
import { parseNameConstraints } from './name-constraints.ts';
import { certificateName } from './names.ts';
import { newDirectory } from './testing/directory.ts';

const hasOpenssl = spawnSync('openssl', ['version']).status === 0;
const NOW = new Date('2026-11-30T12:00:00Z');

function open(directory: string, options: Partial<AuthorityOptions> = {}): Promise<Authority> {
  return openAuthority({ directory, machine: 'bench-1', ...options });
}

async function leafOf(authority: Authority, ...texts: readonly string[]) {
  const names = texts.map((text) => certificateName(text)).filter((name) => name !== undefined);
  return authority.issue(names, { now: new Date(), days: 90 });
}

function openssl(...args: readonly string[]): string {
  const { stdout, stderr } = spawnSync('openssl', args, { encoding: 'utf8' });
  return `${stdout}${stderr}`;
}

describe('the CA of a registry', () => {
  it('is made once, and then read', async () => {
    const directory = join(newDirectory(), 'tls');
    const first = await open(directory);
    expect((await open(directory)).certificate).toBe(first.certificate);
    expect(readFileSync(authorityFile(directory), 'utf8')).toBe(first.certificate);
    expect(readdirSync(directory).sort()).toEqual(['ca.crt', 'ca.key']);
  });

  it('is one, if several ask for it at once', async () => {
    const directory = newDirectory();
    const all = await Promise.all(Array.from({ length: 5 }, () => open(directory)));
    expect(new Set(all.map(({ certificate }) => certificate)).size).toBe(1);
  });

  it('has a key that only its owner can read', async () => {
    const directory = newDirectory();
    await open(directory);
    expect(statSync(join(directory, 'ca.key')).mode & 0o777).toBe(0o600);
    chmodSync(join(directory, 'ca.key'), 0o640);
    await expect(open(directory)).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      hint: expect.stringContaining('chmod 600'),
    });
  });

  it('is for ten years, makes no other CAs, and says whose it is', async () => {
    const directory = newDirectory();
    const { certificate, expires } = await open(directory, { now: () => NOW });
    const parsed = new X509Certificate(certificate);
    expect(parsed.ca).toBe(true);
    expect(parsed.subject).toBe('CN=images registry of bench-1');
    expect(parsed.verify(parsed.publicKey)).toBe(true);
    expect(expires.getUTCFullYear()).toBe(2036);
  });

  it.skipIf(!hasOpenssl)('is what openssl takes for a CA of servers only (skipped without openssl)', async () => {
    const directory = newDirectory();
    await open(directory, { constraints: parseNameConstraints(['lan', '192.168.0.0/24', 'fd00::/8']) });
    const text = openssl('x509', '-in', authorityFile(directory), '-noout', '-text');
    expect(text).toMatch(/Basic Constraints: critical\s+CA:TRUE, pathlen:0/);
    expect(text).toMatch(/Key Usage: critical\s+Certificate Sign, CRL Sign/);
    expect(text).toMatch(/Name Constraints: critical/);
    expect(text).toContain('DNS:lan');
    expect(text).toContain('IP:192.168.0.0/255.255.255.0');
    expect(text).toContain('ASN1 OID: prime256v1');
  });

  it('is found not to be one, with the file that is at fault', async () => {
    const [directory, other] = [newDirectory(), newDirectory()];
    await open(directory);
    await open(other);
    expect(await readAuthority({ directory: newDirectory() })).toBeUndefined();
    const key = join(directory, 'ca.key');
    copyFileSync(join(other, 'ca.key'), key);
    await expect(open(directory)).rejects.toThrow(/ca\.crt belongs to another key/);
    writeFileSync(key, 'no key');
    await expect(open(directory)).rejects.toThrow(/ca\.key is not in PEM/);
    const leaf = newDirectory();
    const { key: leafKey, certificate } = await leafOf(await open(newDirectory()), 'a.lan');
    writeFileSync(authorityFile(leaf), certificate);
    await expect(open(leaf)).rejects.toMatchObject({
      message: expect.stringMatching(/ca\.key is missing/),
      hint: expect.stringContaining('remove ca.crt and ca.key there'),
    });
    writeFileSync(join(leaf, 'ca.key'), leafKey, { mode: 0o600 });
    await expect(open(leaf)).rejects.toThrow(/is not the certificate of a CA/);
    const old = newDirectory();
    await open(old, { now: () => new Date('2010-01-01') });
    await expect(open(old)).rejects.toThrow(/has expired/);
  });

  it('is not silently used for other names than those it was made for', async () => {
    const directory = newDirectory();
    const constraints = parseNameConstraints(['lan', '10.1.2.3', 'fd00::1:0/112']);
    expect((await open(directory, { constraints })).constraints).toEqual(constraints);
    expect((await open(directory, { constraints })).constraints).toEqual(constraints);
    expect((await open(directory)).permits({ kind: 'dns', name: 'elsewhere.example' })).toBe(false);
    await expect(open(directory, { constraints: parseNameConstraints(['other']) })).rejects.toThrow(/for other names/);
  });
});

describe('a certificate of the CA', () => {
  it('is for its names, for servers, and no longer than the CA', async () => {
    const authority = await open(newDirectory());
    const leaf = await leafOf(authority, 'registry.lan', '192.168.0.250', '::1', '::ffff:10.0.0.1');
    const parsed = new X509Certificate(leaf.certificate);
    expect(parsed.subjectAltName).toBe(
      'DNS:registry.lan, IP Address:192.168.0.250, IP Address:0:0:0:0:0:0:0:1, IP Address:0:0:0:0:0:FFFF:A00:1',
    );
    expect(parsed.keyUsage).toEqual(['1.3.6.1.5.5.7.3.1']);
    expect(parsed.ca).toBe(false);
    expect(authority.hasSigned(parsed)).toBe(true);
    expect(parsed.validFromDate.getTime()).toBeLessThan(Date.now() - 3_500_000);
    const late = await authority.issue([{ kind: 'dns', name: 'a' }], {
      now: new Date(authority.expires.getTime() - 1000),
      days: 90,
    });
    expect(late.expires).toEqual(authority.expires);
  });

  it.skipIf(!hasOpenssl)(
    'leads to the CA for openssl (skipped without it); constraints refuse other names',
    async () => {
      const directory = newDirectory();
      await open(directory, { constraints: parseNameConstraints(['lan', '192.168.0.0/24']) });
      const signer = await open(directory);
      const verify = async (...names: readonly string[]) => {
        const file = join(directory, 'leaf.pem');
        writeFileSync(file, (await leafOf(signer, ...names)).certificate);
        return openssl('verify', '-x509_strict', '-purpose', 'sslserver', '-CAfile', authorityFile(directory), file);
      };
      expect(await verify('registry.lan', '192.168.0.7')).toContain(': OK');
      expect(await verify('registry.example.org')).toContain('permitted subtree violation');
      expect(await verify('10.0.0.1')).toContain('permitted subtree violation');
      expect(await verify('fd00::1')).toContain('subtree violation');
    },
  );

  it.skipIf(!hasOpenssl)(
    'with constraints of one kind has no name of the other (skipped without openssl)',
    async () => {
      for (const [constraint, good, bad] of [
        ['lan', 'a.lan', '10.0.0.1'],
        ['10.0.0.0/8', '10.0.0.1', 'a.lan'],
      ] as const) {
        const directory = join(newDirectory(), 'ca');
        mkdirSync(directory);
        const signer = await open(directory, { constraints: parseNameConstraints([constraint]) });
        for (const [name, verdict] of [
          [good, ': OK'],
          [bad, 'excluded subtree violation'],
        ] as const) {
          const file = join(directory, 'leaf.pem');
          writeFileSync(file, (await leafOf(signer, name)).certificate);
          expect(openssl('verify', '-x509_strict', '-CAfile', authorityFile(directory), file)).toContain(verdict);
        }
      }
    },
  );
});
