import { tmpdir } from 'node:os';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { digestOf } from '../../oci/digest.ts';
import type { Registry } from '../contract.ts';
import { registryClients } from './registry-clients.ts';
import { type Fault, startFaultyServer } from './testing/faulty-server.ts';

const page = Buffer.from('<html>Log in, please.</html>');

function webPage(headers: Readonly<Record<string, string>> = {}): Fault {
  return (_request, response) => {
    response.writeHead(200, { 'content-type': 'text/html; charset=utf-8', ...headers });
    response.end(page);
    return true;
  };
}

async function read(registry: Registry, size: number): Promise<string> {
  const { body } = await registry.getBlob('app', digestOf(page), { size });
  return Buffer.concat(await Array.fromAsync(body)).toString();
}

describe('a web page in the place of a blob', () => {
  it('is BAD_ANSWER at once, with its first words, whether its length is told or not', async () => {
    await using server = await startFaultyServer();
    await using clients = registryClients({ temporaryDirectory: tmpdir() });
    for (const headers of [{}, { 'content-length': `${page.length}` }]) {
      server.inject(webPage(headers));
      await expect(read(clients.forHost(server.host), 1_000_000)).rejects.toMatchObject({
        code: 'BAD_ANSWER',
        message: expect.stringContaining('Log in, please.'),
      });
      expect(server.requests).toHaveLength(1);
    }
  });

  it.each([
    ['text/plain', {}],
    ['application/xhtml+xml', {}],
    ['', {}],
    ['text/html', { 'content-encoding': 'gzip' }],
  ])('is reported as [%s], %o', async (type, headers) => {
    await using server = await startFaultyServer();
    await using clients = registryClients({ temporaryDirectory: tmpdir() });
    const bytes = 'content-encoding' in headers ? gzipSync(page) : page;
    server.inject((_request, response) => {
      response.writeHead(200, { ...(type && { 'content-type': type }), 'content-length': bytes.length, ...headers });
      response.end(bytes);
      return true;
    });
    await expect(read(clients.forHost(server.host), 1000)).rejects.toMatchObject({
      code: 'BAD_ANSWER',
      message: expect.stringContaining('content-encoding' in headers ? 'of text/html' : 'Log in, please.'),
      hint: expect.stringContaining('login page'),
    });
  });

  it('is mentioned in the error about a page that has the blob’s length', async () => {
    await using server = await startFaultyServer();
    await using clients = registryClients({ temporaryDirectory: tmpdir() });
    server.inject(webPage({ 'content-length': `${page.length}` }));
    const { body } = await clients
      .forHost(server.host)
      .getBlob('app', digestOf(Buffer.from('x')), { size: page.length });
    await expect(Array.fromAsync(body)).rejects.toMatchObject({
      code: 'DIGEST_INVALID',
      message: expect.stringContaining('(text/html; charset=utf-8) sent another content'),
    });
  });

  it('is accepted if it has size and digest of the blob', async () => {
    await using server = await startFaultyServer();
    await using clients = registryClients({ temporaryDirectory: tmpdir() });
    server.inject(webPage({ 'content-length': `${page.length}` }));
    expect(await read(clients.forHost(server.host), page.length)).toBe(page.toString());
  });

  it('from a mirror makes the client ask the host itself', async () => {
    await using mirror = await startFaultyServer();
    await using server = await startFaultyServer({ contents: [page] });
    await using clients = registryClients({
      temporaryDirectory: tmpdir(),
      hostRule: async () => ({ mirrors: [{ host: mirror.host, pulls: 'all' }], upstream: { host: server.host } }),
    });
    mirror.inject(webPage());
    expect(await read(clients.forHost('registry.example.com'), page.length)).toBe(page.toString());
  });
});
