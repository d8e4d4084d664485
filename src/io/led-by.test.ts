import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ImagesError } from '../oci/errors.ts';
import { createHttpPool, DEFAULT_TIMEOUTS, type HttpPool } from './http.ts';
import { type Leader, ledTo, parseHttpUrl, resolveHttpUrl } from './http-url.ts';
import { lookupLedBy } from './led-by.ts';

const STRANGER: Leader = { host: 'registry.example', at: '203.0.113.7' };

let pool: HttpPool;
let asked: string[];
let port: number;
let close: () => void;
beforeEach(async () => {
  asked = [];
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
  ])('does not lead to %s, and nothing is asked there', async (host) => {
    const error = await refusal(ask(host, STRANGER));
    expect(error.code).toBe('BAD_ANSWER');
    expect(error.message).toMatch(/^registry\.example leads to a (?:loopback|link-local) address \[/);
    expect(error).toMatchObject({ method: 'GET', url: expect.stringContaining('http://') });
    // As little where nobody knows from where it came: behind a proxy.
    expect((await refusal(ask(host, { host: 'registry.example' }))).code).toBe('BAD_ANSWER');
    expect(asked).toEqual([]);
  });

  it('does not lead there by a name, which is looked up when the connection is made', async () => {
    const lookup = promisify(lookupLedBy(STRANGER) as (name: string, options: object, callback: () => void) => void);
    for (const options of [{}, { all: true }, { family: 4 }]) {
      const error = await refusal(lookup('localhost', options) as unknown as Promise<unknown>);
      expect(error.message).toContain('leads to a loopback address [localhost]');
    }
    const allowed = promisify(
      lookupLedBy({ host: 'here', at: '::1' }) as (name: string, options: object, callback: () => void) => void,
    );
    expect(await allowed('localhost', { all: true })).toContainEqual(expect.objectContaining({ address: '127.0.0.1' }));
  });

  it('does not use a connection that somebody else has opened', async () => {
    await ask('localhost');
    await refusal(ask('localhost', STRANGER));
    await ask('localhost', { host: 'here', at: '127.0.0.1' });
    await refusal(ask('localhost', STRANGER));
    expect(asked).toHaveLength(2);
  });

  it('leads to loopback where it came from there, and to its own link-local address', async () => {
    const { url } = await ask('127.0.0.1');
    expect(url.at).toBe('127.0.0.1');
    const next = resolveHttpUrl(url, `http://localhost:${port}/y`);
    (await pool.send({ method: 'GET', url: next })).discard();
    expect(asked).toEqual(['/x', '/y']);
    expect((await refusal(ask('169.254.169.254', { host: 'here', at: '127.0.0.1' }))).message).toContain('link-local');
    expect((await refusal(ask('169.254.1.2', { host: 'x', at: '169.254.1.1' }))).message).toContain('link-local');
    expect((await refusal(ask('127.0.0.1', { host: 'x', at: '169.254.1.1' }))).message).toContain('loopback');
  });

  it('leads on in no chain: each answer leads for itself', async () => {
    const { url } = await ask('127.0.0.1');
    const away = { ...(ledTo(url, 'https://cdn.example/x') ?? url), at: '203.0.113.7' };
    const back = resolveHttpUrl(away, `http://127.0.0.1:${port}/y`);
    expect((await refusal(pool.send({ method: 'GET', url: back }))).message).toContain(
      'cdn.example leads to a loopback',
    );
    expect(asked).toEqual(['/x']);
  });
});

describe('a user', () => {
  it.each(['localhost', '127.0.0.1', '[::1]', '0', '[::ffff:127.0.0.1]'])('may name %s', async (host) => {
    expect((await ask(host)).status).toBe(200);
  });
});
