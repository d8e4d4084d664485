// Pushing blobs over HTTP: end-4 to end-6, end-11, end-13, end-14, and every mistake that a client can make.
import { randomBytes } from 'node:crypto';
import { request } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { temporaryDirectory } from '../../test/peers/temporary.ts';
import { digestOf } from '../oci/digest.ts';
import type { Registry } from '../registry/contract.ts';
import { openEmbeddedStore } from '../storage/embedded-store.ts';
import { type Answer, ask } from './testing/ask.ts';
import { blob, emptyRegistry, putBlob } from './testing/content.ts';
import { startServer, type TestServer } from './testing/start.ts';

let registry: Registry;
let server: TestServer;

beforeAll(async () => {
  registry = emptyRegistry();
  server = await startServer(registry);
});

afterAll(async () => {
  await server[Symbol.asyncDispose]();
  expect(server.events.filter(({ type }) => type === 'failure')).toEqual([]);
});

const UPLOADS = '/v2/a/b/blobs/uploads/';

async function start(query = ''): Promise<string> {
  const answer = await ask(`${server.url}${UPLOADS}${query}`, 'POST', { headers: { 'Content-Length': 0 } });
  expect(answer.status).toBe(202);
  return `${server.url}${answer.headers.location}`;
}

function chunk(location: string, bytes: Uint8Array, range?: string): Promise<Answer> {
  return ask(location, 'PATCH', { body: bytes, headers: range ? { 'Content-Range': range } : {} });
}

async function expectStored(
  bytes: Uint8Array,
  answer: Answer,
  algorithm: 'sha256' | 'sha512' = 'sha256',
): Promise<void> {
  const digest = digestOf(bytes, algorithm);
  expect(answer.status).toBe(201);
  expect(answer.headers).toMatchObject({ location: `/v2/a/b/blobs/${digest}`, 'docker-content-digest': digest });
  const got = await ask(`${server.url}${answer.headers.location}`, 'GET');
  expect(got.status).toBe(200);
  expect(got.body).toEqual(Buffer.from(bytes));
}

describe('a blob in one piece', () => {
  it.each(['sha256', 'sha512'] as const)('by one POST is stored (end-4b), %s', async (algorithm) => {
    const bytes = randomBytes(5000);
    const digest = digestOf(bytes, algorithm);
    await expectStored(
      bytes,
      await ask(`${server.url}${UPLOADS}?digest=${digest}`, 'POST', { body: bytes }),
      algorithm,
    );
  });

  it.each(['sha256', 'sha512'] as const)('by POST, then PUT is stored (end-4a, end-6), %s', async (algorithm) => {
    const bytes = randomBytes(5000);
    const location = await start(`?digest-algorithm=${algorithm}`);
    const put = await ask(`${location}?digest=${digestOf(bytes, algorithm)}`, 'PUT', { body: bytes });
    await expectStored(bytes, put, algorithm);
  });

  it('may be empty', async () => {
    const bytes = Buffer.alloc(0);
    const put = await ask(`${await start()}?digest=${digestOf(bytes)}`, 'PUT', { body: bytes });
    await expectStored(bytes, put);
    await expectStored(bytes, await ask(`${server.url}${UPLOADS}?digest=${digestOf(bytes)}`, 'POST', { body: bytes }));
  });

  it('may be pushed twice', async () => {
    const bytes = randomBytes(100);
    for (const _ of [1, 2]) {
      await expectStored(
        bytes,
        await ask(`${server.url}${UPLOADS}?digest=${digestOf(bytes)}`, 'POST', { body: bytes }),
      );
    }
  });

  it('may come without a length', async () => {
    const bytes = randomBytes(300_000);
    const put = await ask(`${await start()}?digest=${digestOf(bytes)}`, 'PUT', { body: bytes, streamed: true });
    await expectStored(bytes, put);
  });

  it.each(['POST', 'PUT'])('%s of other bytes than the digest says is refused, and nothing is kept', async (method) => {
    const digest = digestOf(randomBytes(10));
    const url = method === 'POST' ? `${server.url}${UPLOADS}?digest=${digest}` : `${await start()}?digest=${digest}`;
    const answer = await ask(url, method, { body: 'oh no' });
    expect(answer.status).toBe(400);
    expect(answer.json()).toMatchObject({ errors: [{ code: 'DIGEST_INVALID' }] });
    expect((await ask(`${server.url}/v2/a/b/blobs/${digest}`, 'HEAD')).status).toBe(404);
  });

  it.each([
    ['POST', `${UPLOADS}?digest=sha256:nope`, 400, 'DIGEST_INVALID'],
    ['POST', `${UPLOADS}?digest-algorithm=crc32`, 400, 'DIGEST_INVALID'],
    ['POST', '/v2/A/blobs/uploads/', 400, 'NAME_INVALID'],
    [
      'PUT',
      `${UPLOADS}b7b2a4d0-6a57-4e1f-9dd5-0e9d1cf4a9c1?digest=${digestOf(Buffer.from('x'))}`,
      404,
      'BLOB_UPLOAD_UNKNOWN',
    ],
    ['PATCH', `${UPLOADS}b7b2a4d0-6a57-4e1f-9dd5-0e9d1cf4a9c1`, 404, 'BLOB_UPLOAD_UNKNOWN'],
    ['GET', `${UPLOADS}b7b2a4d0-6a57-4e1f-9dd5-0e9d1cf4a9c1`, 404, 'BLOB_UPLOAD_UNKNOWN'],
    ['DELETE', `${UPLOADS}b7b2a4d0-6a57-4e1f-9dd5-0e9d1cf4a9c1`, 404, 'BLOB_UPLOAD_UNKNOWN'],
  ])('%s %s is refused', async (method, path, status, code) => {
    const answer = await ask(`${server.url}${path}`, method, method === 'GET' ? {} : { body: 'x' });
    expect(answer.status).toBe(status);
    expect(answer.json()).toMatchObject({ errors: [{ code }] });
  });

  it('PUT without a digest is refused and leaves the upload as it was', async () => {
    const location = await start();
    await chunk(location, Buffer.from('abc'), '0-2');
    expect((await ask(location, 'PUT')).status).toBe(400);
    const put = await ask(`${location}?digest=${digestOf(Buffer.from('abc'))}`, 'PUT');
    await expectStored(Buffer.from('abc'), put);
  });
});

describe('a blob in chunks', () => {
  it('is stored; each answer says how many bytes have come (end-5, end-6)', async () => {
    const bytes = randomBytes(3000);
    const location = await start();
    const first = await chunk(location, bytes.subarray(0, 1000), '0-999');
    expect(first.status).toBe(202);
    expect(first.headers.range).toBe('0-999');
    const second = await chunk(`${server.url}${first.headers.location}`, bytes.subarray(1000, 2000), '1000-1999');
    expect(second.headers.range).toBe('0-1999');
    const put = await ask(`${server.url}${second.headers.location}?digest=${digestOf(bytes)}`, 'PUT', {
      body: bytes.subarray(2000),
      headers: { 'Content-Range': '2000-2999' },
    });
    await expectStored(bytes, put);
  });

  it('may be one stream without a range', async () => {
    const bytes = randomBytes(500_000);
    const location = await start();
    const patch = await ask(location, 'PATCH', { body: bytes, streamed: true });
    expect(patch.status).toBe(202);
    expect(patch.headers.range).toBe('0-499999');
    await expectStored(bytes, await ask(`${location}?digest=${digestOf(bytes)}`, 'PUT'));
  });

  it.each([
    ['ahead', 'PATCH', '20-29'],
    ['again', 'PATCH', '0-9'],
    ['overlapping', 'PATCH', '5-14'],
    ['with a malformed range', 'PATCH', 'ten-nineteen'],
    ['ahead, as the last one', 'PUT', '20-29'],
    ['again, as the last one', 'PUT', '0-9'],
  ])('a chunk %s is a 416 that says where to go on, and changes nothing', async (_, method, range) => {
    const bytes = randomBytes(20);
    const location = await start();
    await chunk(location, bytes.subarray(0, 10), '0-9');
    const url = method === 'PUT' ? `${location}?digest=${digestOf(bytes)}` : location;
    const refused = await ask(url, method, { body: bytes.subarray(10), headers: { 'Content-Range': range } });
    expect(refused.status).toBe(416);
    expect(refused.headers.range).toBe('0-9');
    expect(refused.json()).toMatchObject({ errors: [{ code: 'RANGE_INVALID' }] });
    const next = `${server.url}${refused.headers.location}`;
    const status = await ask(next, 'GET');
    expect(status.status).toBe(204);
    expect(status.headers.range).toBe('0-9');
    expect((await chunk(next, bytes.subarray(10), '10-19')).headers.range).toBe('0-19');
    await expectStored(bytes, await ask(`${next}?digest=${digestOf(bytes)}`, 'PUT'));
  });

  it('that does not begin with the first chunk is a 416', async () => {
    expect((await chunk(await start(), randomBytes(10), '10-19')).status).toBe(416);
  });

  it('with a chunk of another length than its range is refused', async () => {
    const location = await start();
    const short = await chunk(location, randomBytes(5), '0-9');
    expect(short.status).toBe(400);
    expect(short.json()).toMatchObject({ errors: [{ code: 'SIZE_INVALID' }] });
    const long = await ask(location, 'PATCH', {
      body: randomBytes(20),
      streamed: true,
      headers: { 'Content-Range': '0-9' },
    });
    expect(long.status).toBe(400);
  });
});

describe('an upload', () => {
  it('says how many bytes it has, also when there are none (end-13)', async () => {
    const location = await start();
    const empty = await ask(location, 'GET');
    expect(empty.status).toBe(204);
    expect(empty.headers).toMatchObject({ range: '0-0', location: expect.stringContaining(UPLOADS) });
    await chunk(location, randomBytes(10));
    expect((await ask(location, 'GET')).headers.range).toBe('0-9');
  });

  it('can be cancelled, and is gone then (end-14)', async () => {
    const location = await start();
    await chunk(location, randomBytes(10));
    expect((await ask(location, 'DELETE')).status).toBe(204);
    const after = await ask(location, 'GET');
    expect(after.status).toBe(404);
    expect(after.json()).toMatchObject({ errors: [{ code: 'BLOB_UPLOAD_UNKNOWN' }] });
  });

  it('is gone when it is finished', async () => {
    const location = await start();
    await ask(`${location}?digest=${digestOf(Buffer.from('x'))}`, 'PUT', { body: 'x' });
    expect((await ask(location, 'GET')).status).toBe(404);
  });

  it('belongs to its repository', async () => {
    const location = await start();
    expect((await ask(location.replace('/a/b/', '/other/'), 'GET')).status).toBe(404);
  });

  it('keeps what came before the connection broke, and goes on from there', async () => {
    const bytes = randomBytes(400_000);
    const location = await start();
    await breakOff(location, bytes, 250_000);
    const status = await ask(location, 'GET');
    const received = Number(status.headers.range?.slice(2)) + 1;
    expect(received).toBeGreaterThan(0);
    expect(received).toBeLessThanOrEqual(250_000);
    const rest = await chunk(location, bytes.subarray(received), `${received}-${bytes.length - 1}`);
    expect(rest.status).toBe(202);
    await expectStored(bytes, await ask(`${location}?digest=${digestOf(bytes)}`, 'PUT'));
  });

  it('goes on at another server over the same store, as after a restart', async () => {
    const bytes = randomBytes(200_000);
    await using scratch = await temporaryDirectory('uploads');
    const open = async () => startServer((await openEmbeddedStore(scratch.path)).registry);
    await using before = await open();
    const started = await ask(`${before.url}${UPLOADS}`, 'POST');
    const path = started.headers.location;
    await chunk(`${before.url}${path}`, bytes.subarray(0, 100_000));
    await before[Symbol.asyncDispose]();
    await using after = await open();
    expect((await ask(`${after.url}${path}`, 'GET')).headers.range).toBe('0-99999');
    await chunk(`${after.url}${path}`, bytes.subarray(100_000), '100000-199999');
    expect((await ask(`${after.url}${path}?digest=${digestOf(bytes)}`, 'PUT')).status).toBe(201);
    expect((await ask(`${after.url}/v2/a/b/blobs/${digestOf(bytes)}`, 'GET')).body).toEqual(bytes);
  });

  it('is taken over by a client that comes back while its old connection still hangs', async () => {
    const bytes = randomBytes(200_000);
    const location = await start();
    const hanging = request(location, { method: 'PATCH', headers: { 'Content-Length': bytes.length }, agent: false });
    const ended = new Promise((resolve) => hanging.once('error', resolve));
    hanging.write(bytes.subarray(0, 100_000));
    const received = await untilReceived(location, 1);
    const rest = await chunk(location, bytes.subarray(received), `${received}-${bytes.length - 1}`);
    // If the hanging connection has delivered more meanwhile, the answer says how much, and the client continues there.
    const from = Number(rest.headers.range?.slice(2)) + 1;
    if (rest.status === 416) await chunk(location, bytes.subarray(from), `${from}-${bytes.length - 1}`);
    await ended;
    await expectStored(bytes, await ask(`${location}?digest=${digestOf(bytes)}`, 'PUT'));
  });
});

describe('a mount (end-11)', () => {
  it('makes the blob of another repository available in this one', async () => {
    const content = blob();
    await putBlob(registry, 'src/one', content);
    const { digest } = content.descriptor;
    await expectStored(content.bytes, await ask(`${server.url}${UPLOADS}?mount=${digest}&from=src/one`, 'POST'));
  });

  it('finds the blob where no repository is named', async () => {
    const content = blob();
    await putBlob(registry, 'src/two', content);
    await expectStored(content.bytes, await ask(`${server.url}${UPLOADS}?mount=${content.descriptor.digest}`, 'POST'));
  });

  it.each(['', '&from=src/one'])('becomes an upload where there is no such blob [%s]', async (from) => {
    const bytes = randomBytes(100);
    const location = await start(`?mount=${digestOf(bytes)}${from}`);
    await expectStored(bytes, await ask(`${location}?digest=${digestOf(bytes)}`, 'PUT', { body: bytes }));
  });

  it('refuses invalid digests and names', async () => {
    expect((await ask(`${server.url}${UPLOADS}?mount=x`, 'POST')).status).toBe(400);
    expect((await ask(`${server.url}${UPLOADS}?mount=${digestOf(Buffer.from(''))}&from=A`, 'POST')).status).toBe(400);
  });
});

/** Announces all of `bytes`, sends the first `count` of them, waits until the server has some and cuts the connection. */
async function breakOff(location: string, bytes: Uint8Array, count: number): Promise<void> {
  const message = request(location, { method: 'PATCH', headers: { 'Content-Length': bytes.length }, agent: false });
  const broken = new Promise((resolve) => message.once('error', resolve));
  message.write(bytes.subarray(0, count));
  await untilReceived(location, 1);
  message.destroy();
  await broken;
  // The server releases the upload when it notices the closed connection.
  const { length } = server.events;
  while (server.events.length === length) await new Promise((resolve) => setImmediate(resolve));
}

async function untilReceived(location: string, atLeast: number): Promise<number> {
  for (;;) {
    const { headers } = await ask(location, 'GET');
    const received = Number(headers.range?.slice(2));
    if (received >= atLeast) return received + 1;
  }
}
