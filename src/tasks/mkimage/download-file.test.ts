import { writeFile } from 'node:fs/promises';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type TemporaryDirectory, temporaryDirectory } from '../../../test/peers/temporary.ts';
import { type Digest, digestOf } from '../../oci/digest.ts';
import { findPath } from '../../rootfs/tree.ts';
import { wholeSeconds } from '../../tar/time.ts';
import { createDownloader } from './download-file.ts';

let directory: TemporaryDirectory;
let server: Server;
let asked: string[];
let respond: (url: string, response: ServerResponse) => void;
let origin: string;
beforeEach(async () => {
  directory = await temporaryDirectory('download');
  asked = [];
  server = createServer((request, response) => {
    asked.push(request.url ?? '');
    respond(request.url ?? '', response);
  });
  await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready));
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterEach(async () => {
  server.closeAllConnections();
  server.close();
  await directory[Symbol.asyncDispose]();
});

const redirect = (to: string) => (_url: string, response: ServerResponse) =>
  response.writeHead(302, { location: to }).end();

async function download(url: string, env: Record<string, string> = {}): Promise<unknown> {
  await using downloader = createDownloader(
    { env, home: directory.path, uid: 1000, temporaryDirectory: tmpdir() },
    directory.path,
  );
  return await downloader.download(url, {});
}

describe('the address of an ADD', () => {
  it('may be anywhere, and be redirected from this machine to this machine', async () => {
    respond = (url, response) => {
      if (url === '/a') redirect(`${origin.replace('127.0.0.1', 'localhost')}/b`)(url, response);
      else response.end('content');
    };
    await download(`${origin}/a`);
    expect(asked).toEqual(['/a', '/b']);
  });

  it.each(['http://169.254.169.254/latest/meta-data', 'http://2852039166/', 'http://[fe80::1%25lo]/'])(
    'is not redirected to %s',
    async (to) => {
      respond = redirect(to);
      await expect(download(`${origin}/a`)).rejects.toMatchObject({
        code: 'BAD_ANSWER',
        message: expect.stringContaining('leads to a link-local address'),
      });
    },
  );

  it('of another host is redirected into a private network where the user has named that host', async () => {
    respond = (url, response) => {
      if (url.endsWith('/a')) redirect('http://10.0.0.5:9000/b')(url, response);
      else response.end('content');
    };
    const env = { http_proxy: origin };
    await expect(download('http://files.example/a', env)).rejects.toMatchObject({
      code: 'BAD_ANSWER',
      message: 'files.example leads to a private address [10.0.0.5]',
    });
    const conf = join(directory.path, 'registries.conf');
    await writeFile(conf, '[[registry]]\nlocation = "10.0.0.5:9000"\n');
    await download('http://files.example/a', { ...env, CONTAINERS_REGISTRIES_CONF: conf });
    expect(asked.at(-1)).toBe('http://10.0.0.5:9000/b');
  });

  it('of another host is not redirected to this machine', async () => {
    // The same server is the proxy and the forbidden target of the redirect.
    respond = redirect(`${origin}/b`);
    await expect(download('http://files.example/a', { http_proxy: origin })).rejects.toMatchObject({
      code: 'BAD_ANSWER',
      message: expect.stringContaining('files.example leads to a loopback address'),
    });
    expect(asked).toEqual(['http://files.example/a']);
  });
});

describe('the file of an ADD', () => {
  const text = 'content';

  /** The header of the file that the server has. */
  async function entryOf(headers: Record<string, string>, checksum?: Digest) {
    respond = (_, response) => response.writeHead(200, headers).end(text);
    await using downloader = createDownloader(
      { env: {}, home: directory.path, uid: 1000, temporaryDirectory: tmpdir() },
      directory.path,
    );
    const { tree } = await downloader.download(`${origin}/some/file`, { ...(checksum && { checksum }) });
    return findPath(tree, 'file')?.node.inode.entry;
  }

  it('has the server’s time, or that of 1970', async () => {
    const modified = { 'last-modified': 'Tue, 14 Nov 2023 22:13:20 GMT' };
    expect(await entryOf(modified)).toMatchObject({ size: text.length, mtime: wholeSeconds(1_700_000_000) });
    expect((await entryOf({}))?.mtime).toEqual(wholeSeconds(0));
    expect((await entryOf({ 'last-modified': 'yesterday' }))?.mtime).toEqual(wholeSeconds(0));
  });

  it.each(['sha256', 'sha512'] as const)('is the one of the %s checksum, or refused', async (algorithm) => {
    const right = digestOf(Buffer.from(text), algorithm);
    expect(await entryOf({}, right)).toBeDefined();
    const wrong = digestOf(Buffer.from('other'), algorithm);
    await expect(entryOf({}, wrong)).rejects.toMatchObject({
      code: 'DIGEST_INVALID',
      message: expect.stringContaining(`digest is ${right}, expected ${wrong}`),
    });
  });
});
