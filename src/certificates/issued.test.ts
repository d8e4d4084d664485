// Certificates by name: how many, how fast, for whom, and again in time.
import { X509Certificate } from 'node:crypto';
import { chmodSync, existsSync, readdirSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openAuthority } from './authority.ts';
import { type IssuedOptions, openIssued } from './issued.ts';
import { parseNameConstraints } from './name-constraints.ts';
import { newDirectory } from './testing/directory.ts';

const DAY = 24 * 60 * 60 * 1000;

/** A CA and its certificates at a time that the test sets. */
async function setUp(options: Partial<IssuedOptions> = {}) {
  const directory = newDirectory();
  const clock = { now: Date.now() };
  const now = () => new Date(clock.now);
  const constraints = parseNameConstraints(['lan']);
  const authority = await openAuthority({ directory, machine: 'bench', constraints, now });
  const notices: string[] = [];
  const names = join(directory, 'names');
  const again = (more: Partial<IssuedOptions> = {}) =>
    openIssued({ authority, directory: names, now, onNotice: (text) => notices.push(text), ...options, ...more });
  return { authority, clock, notices, names, again, issued: await again() };
}

const serialOf = (issued: { readonly certificate: string } | undefined) =>
  issued && new X509Certificate(issued.certificate).serialNumber;

describe('a certificate by name', () => {
  it('is one for all who ask at once, and for later ones, in any case', async () => {
    const { issued } = await setUp();
    const all = await Promise.all(['a.lan', 'A.lan', 'a.LAN'].map((name) => issued.forHost(name)));
    const later = await issued.forHost('a.lan');
    expect(new Set([...all, later].map(serialOf)).size).toBe(1);
    expect(new X509Certificate(later?.certificate ?? '').subjectAltName).toBe('DNS:a.lan');
  });

  it('is there after a restart, in a file that only its owner can read', async () => {
    const { issued, again, names } = await setUp();
    const before = await issued.forHost('a.lan');
    expect(statSync(join(names, 'a.lan.pem')).mode & 0o777).toBe(0o600);
    expect(serialOf(await (await again()).forHost('a.lan'))).toBe(serialOf(before));
  });

  it('is made anew if its file is damaged, of another CA, or cannot be read', async () => {
    const { again, names } = await setUp();
    const other = await setUp();
    const foreign = await other.issued.forHost('a.lan');
    for (const text of ['', 'rubbish', `${foreign?.key}${foreign?.certificate}`]) {
      await (await again()).forHost('a.lan');
      writeFileSync(join(names, 'a.lan.pem'), text);
      const made = await (await again()).forHost('a.lan');
      expect(made && serialOf(made)).not.toBe(serialOf(foreign));
    }
  });

  it('is made anew if others could read its key', async () => {
    const { issued, again, names } = await setUp();
    const before = await issued.forHost('a.lan');
    chmodSync(join(names, 'a.lan.pem'), 0o640);
    expect(serialOf(await (await again()).forHost('a.lan'))).not.toBe(serialOf(before));
    expect(statSync(join(names, 'a.lan.pem')).mode & 0o777).toBe(0o600);
  });

  it('that was being written by a process that was killed is removed a day later', async () => {
    const { issued, again, names } = await setUp();
    await issued.forHost('a.lan');
    for (const [file, age] of [
      ['.a.lan.pem.old', 2 * DAY],
      ['.a.lan.pem.new', 0],
    ] as const) {
      writeFileSync(join(names, file), 'half');
      utimesSync(join(names, file), new Date(Date.now() - age), new Date(Date.now() - age));
    }
    await again();
    expect(readdirSync(names).sort()).toEqual(['.a.lan.pem.new', 'a.lan.pem']);
  });

  it('is none for what is no host name, and for what the CA may not have', async () => {
    const { issued, names } = await setUp();
    for (const name of [
      '',
      '10.0.0.1',
      '::1',
      '*.lan',
      '../../a.lan',
      'a.lan.',
      'a_b.lan',
      'a.example',
      'lan.example',
      'a\0.lan',
    ]) {
      expect(await issued.forHost(name)).toBeUndefined();
    }
    expect(existsSync(names)).toBe(false);
  });

  it('is renewed when two thirds of its time have passed', async () => {
    const { issued, clock } = await setUp();
    const first = serialOf(await issued.forHost('a.lan'));
    clock.now += 59 * DAY;
    expect(serialOf(await issued.forHost('a.lan'))).toBe(first);
    clock.now += 2 * DAY;
    const second = await issued.forHost('a.lan');
    expect(serialOf(second)).not.toBe(first);
    expect(second?.expires.getTime()).toBeGreaterThan(clock.now + 89 * DAY);
  });

  it('of a CA that ends soon is not renewed at every ask', async () => {
    const { issued, clock, authority } = await setUp();
    clock.now = authority.expires.getTime() - 20 * DAY;
    const first = await issued.forHost('a.lan');
    expect(first?.expires).toEqual(authority.expires);
    clock.now += DAY;
    expect(serialOf(await issued.forHost('a.lan'))).toBe(serialOf(first));
  });

  it('is made for a few at once, then at a rate; what is there is given all the while', async () => {
    const { issued, clock } = await setUp({ burst: 3, interval: 1000 });
    const asked = await Promise.all(['a', 'b', 'c', 'd', 'e'].map((name) => issued.forHost(`${name}.lan`)));
    expect(asked.map((found) => found !== undefined)).toEqual([true, true, true, false, false]);
    expect(await issued.forHost('a.lan')).toBeDefined();
    clock.now += 1000;
    expect(await issued.forHost('d.lan')).toBeDefined();
    expect(await issued.forHost('e.lan')).toBeUndefined();
    clock.now -= 100_000;
    expect(await issued.forHost('e.lan')).toBeUndefined();
  });

  it('is told of once an hour if more are asked for than are made', async () => {
    const { issued, clock, notices } = await setUp({ burst: 1, interval: 1000 * DAY });
    for (const name of ['a', 'b', 'c']) await issued.forHost(`${name}.lan`);
    expect(notices).toEqual([
      'names are asked for faster than certificates are made: b.lan and others get that of the machine',
    ]);
    clock.now += DAY / 24;
    await issued.forHost('d.lan');
    expect(notices).toHaveLength(2);
  });

  it('that is due stays in use while no new ones may be made, until it ends', async () => {
    const { issued, clock } = await setUp({ burst: 1, interval: 1000 * DAY });
    const first = await issued.forHost('a.lan');
    clock.now += 70 * DAY;
    expect(serialOf(await issued.forHost('a.lan'))).toBe(serialOf(first));
    clock.now += 21 * DAY;
    expect(await issued.forHost('a.lan')).toBeUndefined();
  });

  it('goes when there are too many, the one first that was not used for longest', async () => {
    const { issued, again, names } = await setUp({ most: 3 });
    const first = await issued.forHost('a.lan');
    for (const name of ['b', 'c', 'a', 'd']) await issued.forHost(`${name}.lan`);
    expect(readdirSync(names).sort()).toEqual(['a.lan.pem', 'c.lan.pem', 'd.lan.pem']);
    expect(serialOf(await issued.forHost('a.lan'))).toBe(serialOf(first));
    await again({ most: 1 });
    expect(readdirSync(names)).toHaveLength(1);
  });

  it('that cannot be kept is given all the same, and told of', async () => {
    const { names, notices, again } = await setUp();
    writeFileSync(names, 'a file where the directory should be');
    const issued = await again();
    expect(await issued.forHost('a.lan')).toBeDefined();
    expect(notices).toEqual([expect.stringContaining('is not kept')]);
  });

  it('with a very long name is kept in memory only', async () => {
    const { issued, names } = await setUp();
    const long = `${'a23456789.'.repeat(24)}lan`;
    expect(serialOf(await issued.forHost(long))).toBe(serialOf(await issued.forHost(long)));
    expect(existsSync(names)).toBe(false);
  });
});
