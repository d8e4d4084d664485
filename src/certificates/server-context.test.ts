// Certificates that a server uses: given in files that change, or made by an own CA. With real TLS.
import { X509Certificate } from 'node:crypto';
import { chmodSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:https';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { openAuthority } from './authority.ts';
import type { TlsContexts } from './contract.ts';
import { parseNameConstraints } from './name-constraints.ts';
import { certificateName } from './names.ts';
import { secureOptions } from './secure-options.ts';
import { contextsFromAuthority, contextsFromFiles } from './server-context.ts';
import { newDirectory } from './testing/directory.ts';

async function newAuthority(names?: readonly string[], directory = newDirectory()) {
  return openAuthority({ directory, machine: 'bench', ...(names && { constraints: parseNameConstraints(names) }) });
}

async function pair(name = 'registry.lan') {
  const authority = await newAuthority();
  const names = [certificateName(name)].filter((found) => found !== undefined);
  return authority.issue(names, { now: new Date(), days: 90 });
}

function disposed(contexts: TlsContexts): TlsContexts {
  onTestFinished(() => contexts[Symbol.dispose]());
  return contexts;
}

function subjectOf({ current }: TlsContexts): string | undefined {
  return new X509Certificate(current().certificate).subjectAltName;
}

const DAMAGED = '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n';

describe('a certificate given in files', () => {
  async function given() {
    const directory = newDirectory();
    const files = { certificate: join(directory, 'tls.crt'), key: join(directory, 'tls.key') };
    const write = (next: { readonly key: string; readonly certificate: string }) => {
      writeFileSync(files.key, next.key, { mode: 0o600 });
      writeFileSync(files.certificate, next.certificate);
    };
    const notices: string[] = [];
    return { files, write, notices, onNotice: (text: string) => notices.push(text) };
  }

  it('is read again when it has changed, and listeners are told', async () => {
    const { files, write } = await given();
    write(await pair('a.lan'));
    const contexts = disposed(await contextsFromFiles(files));
    const told: unknown[] = [];
    contexts.onChange((next) => told.push(next));
    await contexts.refresh();
    expect(told).toEqual([]);
    const next = await pair('b.lan');
    write(next);
    await contexts.refresh();
    expect(subjectOf(contexts)).toBe('DNS:b.lan');
    expect(told).toEqual([{ key: next.key, certificate: next.certificate }]);
    expect(await contexts.contextFor('b.lan')).toBeUndefined();
  });

  it('that cannot be used leaves the old one, and is told of once', async () => {
    const { files, write, notices, onNotice } = await given();
    write(await pair('a.lan'));
    const contexts = disposed(await contextsFromFiles(files, { onNotice }));
    const next = await pair('b.lan');
    writeFileSync(files.certificate, next.certificate);
    await contexts.refresh();
    await contexts.refresh();
    expect(notices).toEqual([expect.stringContaining('do not belong together')]);
    rmSync(files.key);
    await contexts.refresh();
    expect(notices).toHaveLength(2);
    expect(subjectOf(contexts)).toBe('DNS:a.lan');
    write(next);
    await contexts.refresh();
    expect(subjectOf(contexts)).toBe('DNS:b.lan');
  });

  it('with a damaged certificate behind it ends nothing while the registry runs', async () => {
    const { files, write, notices, onNotice } = await given();
    write(await pair('a.lan'));
    const contexts = disposed(await contextsFromFiles(files, { onNotice }));
    const server = createServer(secureOptions(contexts.current()));
    contexts.onChange((next) => server.setSecureContext(secureOptions(next)));
    const next = await pair('b.lan');
    write({ ...next, certificate: `${next.certificate}${DAMAGED}` });
    await contexts.refresh();
    expect(notices).toEqual([expect.stringMatching(/the old one stays: no server can use/)]);
    expect(subjectOf(contexts)).toBe('DNS:a.lan');
  });

  it('that whoever uses it cannot take leaves the old one', async () => {
    const { files, write, notices, onNotice } = await given();
    write(await pair('a.lan'));
    const contexts = disposed(await contextsFromFiles(files, { onNotice }));
    contexts.onChange(() => {
      throw new Error('not here');
    });
    write(await pair('b.lan'));
    await contexts.refresh();
    expect(notices).toEqual(['the certificate stays as it is: not here']);
    expect(subjectOf(contexts)).toBe('DNS:a.lan');
  });

  it.each([
    [-1, 'begins on'],
    [80, 'ends on'],
    [91, 'has expired: clients refuse it'],
  ])('is used, and doubted once, where it is day %d of it', async (day, doubt) => {
    const { files, write, notices, onNotice } = await given();
    write(await pair());
    const now = () => new Date(Date.now() + day * 24 * 3_600_000);
    const contexts = disposed(await contextsFromFiles(files, { onNotice, now }));
    await contexts.refresh();
    expect(notices).toEqual([expect.stringContaining(`the certificate ${doubt}`)]);
  });

  it('with a key that everybody can read is used, and told of', async () => {
    const { files, write, notices, onNotice } = await given();
    write(await pair());
    chmodSync(files.key, 0o644);
    disposed(await contextsFromFiles(files, { onNotice }));
    expect(notices).toEqual([`everybody on this machine can read the key: chmod o-r ${files.key}`]);
  });

  it('behind a link is read again when the link leads elsewhere', async () => {
    const { files, write } = await given();
    write(await pair('a.lan'));
    const other = await given();
    other.write(await pair('b.lan'));
    const directory = newDirectory();
    const links = { certificate: join(directory, 'c'), key: join(directory, 'k') };
    const link = (to: typeof files) => {
      for (const kind of ['certificate', 'key'] as const) {
        rmSync(links[kind], { force: true });
        symlinkSync(to[kind], links[kind]);
      }
    };
    link(files);
    const contexts = disposed(await contextsFromFiles(links));
    link(other.files);
    await contexts.refresh();
    expect(subjectOf(contexts)).toBe('DNS:b.lan');
  });

  it('is refused at the start with the name of the file', async () => {
    const { files, write } = await given();
    await expect(contextsFromFiles(files)).rejects.toMatchObject({
      code: 'FILE_UNREADABLE',
      message: expect.stringContaining('tls.crt'),
    });
    const good = await pair();
    for (const [wrong, message] of [
      [{ ...good, certificate: 'x' }, /tls\.crt holds no certificate/],
      [{ ...good, key: 'x' }, /tls\.key holds no key/],
      [{ ...good, key: '-----BEGIN ENCRYPTED PRIVATE KEY-----' }, /tls\.key is encrypted/],
      [{ ...good, key: (await pair()).key }, /do not belong together/],
      [{ ...good, certificate: `${good.certificate}${DAMAGED}` }, /no server can use .*tls\.crt/],
    ] as const) {
      write(wrong);
      await expect(contextsFromFiles(files)).rejects.toMatchObject({
        code: 'CONFIG_INVALID',
        message: expect.stringMatching(message),
      });
    }
  });
});

describe('certificates of an own CA', () => {
  it('have a default one for the addresses and names of the machine, which stays', async () => {
    const directory = newDirectory();
    const authority = await newAuthority();
    const names = ['192.168.0.250', 'localhost', 'Bench-1', '192.168.0.250', 'not a name', '::1', 'fe80::1%eth0'];
    const first = disposed(await contextsFromAuthority({ authority, directory, names: () => names }));
    expect(subjectOf(first)).toBe('IP Address:192.168.0.250, DNS:localhost, DNS:bench-1, IP Address:0:0:0:0:0:0:0:1');
    const again = disposed(await contextsFromAuthority({ authority, directory, names: () => names }));
    expect(again.current().certificate).toBe(first.current().certificate);
    const more = disposed(await contextsFromAuthority({ authority, directory, names: () => [...names, '10.0.0.9'] }));
    expect(subjectOf(more)).toContain('10.0.0.9');
  });

  it('have names only that the CA may have', async () => {
    const names = ['192.168.0.250', 'localhost', 'a.lan'];
    const some = await newAuthority(['lan']);
    expect(
      subjectOf(
        disposed(await contextsFromAuthority({ authority: some, directory: newDirectory(), names: () => names })),
      ),
    ).toBe('DNS:a.lan');
    const none = await newAuthority(['elsewhere']);
    const contexts = disposed(
      await contextsFromAuthority({ authority: none, directory: newDirectory(), names: () => names }),
    );
    expect(subjectOf(contexts)).toBe('DNS:elsewhere');
  });

  it('give one context for a name, and none for others', async () => {
    const authority = await newAuthority(['lan']);
    const contexts = disposed(await contextsFromAuthority({ authority, directory: newDirectory(), names: () => [] }));
    const context = await contexts.contextFor('a.lan');
    expect(context).toBeDefined();
    expect(await contexts.contextFor('A.lan')).toBe(context);
    expect(await contexts.contextFor('a.example')).toBeUndefined();
  });

  it('are renewed while the server runs; what prevents it is told of', async () => {
    const clock = { now: Date.now() };
    const now = () => new Date(clock.now);
    const directory = newDirectory();
    const notices: string[] = [];
    const contexts = disposed(
      await contextsFromAuthority({
        authority: await newAuthority(),
        directory,
        names: () => ['localhost'],
        now,
        onNotice: (text) => notices.push(text),
      }),
    );
    const first = contexts.current();
    await contexts.refresh();
    expect(contexts.current()).toBe(first);
    clock.now += 61 * 24 * 3_600_000;
    rmSync(directory, { recursive: true });
    writeFileSync(directory, 'no directory');
    await contexts.refresh();
    expect(notices).toEqual([expect.stringContaining('cannot be renewed')]);
    await contexts.refresh();
    expect(notices).toHaveLength(1);
    rmSync(directory);
    await contexts.refresh();
    expect(contexts.current()).not.toBe(first);
  });

  it('get an address that the machine has got since, but not for each link-local one', async () => {
    const names = ['localhost', '10.0.0.1'];
    const authority = await newAuthority();
    const contexts = disposed(
      await contextsFromAuthority({ authority, directory: newDirectory(), names: () => names }),
    );
    const first = contexts.current();
    names.push('fe80::2');
    await contexts.refresh();
    expect(contexts.current()).toBe(first);
    names.push('192.168.0.250');
    await contexts.refresh();
    expect(subjectOf(contexts)).toContain('192.168.0.250');
    const second = contexts.current();
    names.pop();
    await contexts.refresh();
    expect(contexts.current()).toBe(second);
  });

  it('whose key others could read are made anew', async () => {
    const directory = newDirectory();
    const options = { authority: await newAuthority(), directory, names: () => ['localhost'] };
    const first = disposed(await contextsFromAuthority(options)).current();
    chmodSync(join(directory, 'default.pem'), 0o644);
    const second = disposed(await contextsFromAuthority(options)).current();
    expect(second.key).not.toBe(first.key);
    expect(statSync(join(directory, 'default.pem')).mode & 0o777).toBe(0o600);
  });
});
