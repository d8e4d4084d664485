import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ImagesError } from '../../oci/errors.ts';
import { createHttpPool, DEFAULT_TIMEOUTS, type HttpPool } from './http.ts';
import { type Leader, ledTo, parseHttpUrl, resolveHttpUrl } from './http-url.ts';
import { lookupLedBy, type NamesHost } from './led-by.ts';

const STRANGER: Leader = { host: 'registry.example', at: '203.0.113.7' };

/** A company's registry: a public name with a private address. */
const COLLEAGUE: Leader = { host: 'registry.corp', at: '10.0.0.7' };

let pool: HttpPool;
let named: string[];
let asked: string[];
let port: number;
let close: () => void;
beforeEach(async () => {
  asked = [];
  named = [];
  const server = createServer((request, response) => {
    asked.push(request.url ?? '');
    response.end('here');
  });
  await new Promise<void>((ready) => server.listen(0, '::', ready));
  port = (server.address() as AddressInfo).port;
  close = () => {
    server.close();
    server.closeAllConnections();
  };
  pool = createHttpPool({
    timeouts: DEFAULT_TIMEOUTS,
    tunnelWithin: 1000,
    proxyFor: () => undefined,
    namesHost: async (host) => named.includes(host),
    tlsFiles: async () => ({}),
  });
});
afterEach(() => {
  pool[Symbol.dispose]();
  close();
});

const ask = async (host: string, ledBy?: Leader) => {
  const url = { ...parseHttpUrl(`http://${host}:${port}/x`), ...(ledBy && { ledBy }) };
  const answer = await pool.send({ method: 'GET', url });
  answer.discard();
  return answer;
};

async function refusal(work: Promise<unknown>): Promise<ImagesError> {
  const thrown = await work.catch((error: unknown) => error);
  if (!(thrown instanceof ImagesError)) throw new Error(`no ImagesError: ${thrown}`);
  return thrown;
}

describe('an answer of another host', () => {
  it.each([
    'localhost',
    'x.localhost',
    'localhost.',
    '127.0.0.1',
    '127.9.9.9',
    '127.1',
    '2130706433',
    '0x7f000001',
    '0177.0.0.1',
    '0',
    '[::1]',
    '[::]',
    '[::ffff:127.0.0.1]',
    '[::127.0.0.1]',
    '[64:ff9b::127.0.0.1]',
    '[2002:7f00:1::]',
    '169.254.169.254',
    '2852039166',
    '[fe80::1]',
    '[fe80::1%25lo]',
    '[::ffff:a9fe:a9fe]',
    '[fd00:ec2::254]',
    '[fd20:ce::254]',
    '100.100.100.200',
    '192.0.0.192',
    '168.63.129.16',
    '[::ffff:100.100.100.200]',
    '[64:ff9b::169.254.169.254]',
    '[64:ff9b:1::169.254.169.254]',
    '[64:ff9b:1:7f00:0:100::]',
    '[::ffff:0:127.0.0.1]',
    '[2001:0:1:1:0:0:80ff:fffe]',
  ])('does not lead to %s, and nothing is asked there', async (host) => {
    const error = await refusal(ask(host, STRANGER));
    expect(error.code).toBe('BAD_ANSWER');
    expect(error.message).toMatch(/^registry\.example leads to a (?:loopback|link-local|metadata) address \[/);
    expect(error).toMatchObject({ method: 'GET', url: expect.stringContaining('http://') });
    // Behind a proxy, the leader's address is unknown.
    expect((await refusal(ask(host, { host: 'registry.example' }))).code).toBe('BAD_ANSWER');
    // Neither the leader's private address nor a name that the user has named for other purposes permits it.
    named = [host, `${host}:${port}`];
    expect((await refusal(ask(host, COLLEAGUE))).code).toBe('BAD_ANSWER');
    expect(asked).toEqual([]);
  });

  it('does not lead there by a name, which is looked up when the connection is made', async () => {
    for (const options of [{}, { all: true }, { family: 4 }]) {
      const error = await refusal(lookup(STRANGER, 'localhost', options));
      expect(error.message).toContain('leads to a loopback address [localhost]');
    }
    expect(await lookup({ host: 'here', at: '::1' }, 'localhost', { all: true })).toContainEqual(
      expect.objectContaining({ address: '127.0.0.1' }),
    );
  });

  it('does not lead there by a connection that is already open', async () => {
    await ask('localhost');
    await refusal(ask('localhost', STRANGER));
    await ask('localhost', { host: 'here', at: '127.0.0.1' });
    await refusal(ask('localhost', STRANGER));
    expect(asked).toHaveLength(2);
  });

  it('leads to loopback if it came from there, and to its own link-local address', async () => {
    const { url } = await ask('127.0.0.1');
    expect(url.at).toBe('127.0.0.1');
    const next = resolveHttpUrl(url, `http://localhost:${port}/y`);
    (await pool.send({ method: 'GET', url: next })).discard();
    expect(asked).toEqual(['/x', '/y']);
    expect((await refusal(ask('169.254.169.254', { host: 'here', at: '127.0.0.1' }))).message).toContain('link-local');
    expect((await refusal(ask('169.254.1.2', { host: 'x', at: '169.254.1.1' }))).message).toContain('link-local');
    expect((await refusal(ask('127.0.0.1', { host: 'x', at: '169.254.1.1' }))).message).toContain('loopback');
  });

  it('gives no rights to the next answer in a chain: each is judged by the host that sent it', async () => {
    const { url } = await ask('127.0.0.1');
    const away = { ...(ledTo(url, 'https://cdn.example/x') ?? url), at: '203.0.113.7' };
    const back = resolveHttpUrl(away, `http://127.0.0.1:${port}/y`);
    expect((await refusal(pool.send({ method: 'GET', url: back }))).message).toContain(
      'cdn.example leads to a loopback',
    );
    expect(asked).toEqual(['/x']);
  });
});

const PRIVATE = [
  '10.1.2.3',
  '172.16.0.1',
  '172.31.255.255',
  '192.168.1.1',
  '100.64.0.1',
  '167772161',
  '[fc00::1]',
  '[fd12:3456::1]',
  '[::ffff:10.0.0.1]',
  '[64:ff9b::192.168.1.1]',
  '[64:ff9b:1::10.0.0.1]',
  '[2002:a00:1::]',
];

/** Whether the leader may lead to a name that resolves to this address. Opens no connection. */
async function leads(leader: Leader, address: string): Promise<boolean> {
  const bare = URL.parse(`http://${address}/`)?.hostname.replace(/^\[|\]$/g, '') ?? '';
  const answer = lookup(leader, bare, { all: true });
  return answer.then(
    () => true,
    (error: unknown) => {
      if (error instanceof ImagesError && error.code === 'BAD_ANSWER') return false;
      throw error;
    },
  );
}

/** Resolves the name as a connection does. */
function lookup(leader: Leader, name: string, options: object): Promise<unknown> {
  const names: NamesHost = async (host) => named.includes(host);
  const look = promisify(lookupLedBy(leader, `${name}:${port}`, names) as Looking);
  return look(name, options);
}

type Looking = (name: string, options: object, callback: (error: unknown, found?: unknown) => void) => void;

describe('a private network', () => {
  it.each(PRIVATE)('is not led to from elsewhere: %s', async (host) => {
    const error = await refusal(ask(host, STRANGER));
    expect(error.message).toMatch(/^registry\.example leads to a private address \[/);
    expect(error.hint).toContain('registries.conf');
    expect(await leads(STRANGER, host)).toBe(false);
    expect(await leads({ host: 'registry.example' }, host)).toBe(false);
    // The address of the leader only looks like a private one.
    expect(await leads({ host: 'x.example', at: '2002:a00:1::1' }, host)).toBe(false);
    expect(await leads({ host: 'x.example', at: '64:ff9b:1::203.0.113.7' }, host)).toBe(false);
  });

  it.each(PRIVATE)(
    'is led to from within, from this machine, and where the user has named the host: %s',
    async (host) => {
      expect(await leads(COLLEAGUE, host)).toBe(true);
      expect(await leads({ host: 'registry.corp', at: 'fd00::7' }, host)).toBe(true);
      expect(await leads({ host: 'registry.corp', at: '::ffff:192.168.7.7' }, host)).toBe(true);
      expect(await leads({ host: 'here', at: '127.0.0.1' }, host)).toBe(true);
      // Behind a proxy, the leader's address is known if it is its name.
      expect(await leads({ host: '10.0.0.9:5000' }, host)).toBe(true);
      named = [`${URL.parse(`http://${host}/`)?.hostname.replace(/^\[|\]$/g, '')}:${port}`];
      expect(await leads(STRANGER, host)).toBe(true);
    },
  );

  it('may lead to public addresses, and public hosts to each other', async () => {
    for (const leader of [COLLEAGUE, STRANGER, { host: 'x' }]) {
      for (const address of ['203.0.113.9', '172.32.0.1', '11.0.0.1', '100.128.0.1', '[2606:4700::a00:1]']) {
        expect(await leads(leader, address)).toBe(true);
      }
    }
  });

  it('may have a translator to IPv4 (NAT64), behind which public addresses are', async () => {
    const behind: Leader = { host: 'x', at: '64:ff9b:1::203.0.113.7' };
    expect(await leads(behind, '[64:ff9b:1::198.51.100.1]')).toBe(true);
    expect(await leads(COLLEAGUE, '[64:ff9b:1::198.51.100.1]')).toBe(true);
    expect(await leads({ host: 'x', at: '64:ff9b:1::10.0.0.1' }, '[64:ff9b:1::10.0.0.2]')).toBe(true);
    expect(await leads(STRANGER, '[64:ff9b:1::198.51.100.1]')).toBe(false);
    // Naming such an address in a file has no effect, so the hint does not advise it.
    named = [`64:ff9b:1::c633:6401:${port}`, `[64:ff9b:1::c633:6401]:${port}`];
    const error = await refusal(ask('[64:ff9b:1::198.51.100.1]', STRANGER));
    expect(error.hint).not.toContain('registries.conf');
  });
});

describe('the user', () => {
  it.each(['localhost', '127.0.0.1', '[::1]', '0', '[::ffff:127.0.0.1]'])('may name %s', async (host) => {
    expect((await ask(host)).status).toBe(200);
  });
});
