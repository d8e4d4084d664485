// Every way of pushing a blob, with each digest algorithm, announced or not, and with a wrong digest.
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type DigestAlgorithm, digestOf } from '../oci/digest.ts';
import { type Answer, ask } from './testing/ask.ts';
import { emptyRegistry } from './testing/content.ts';
import { startServer, type TestServer } from './testing/start.ts';

let server: TestServer;

beforeAll(async () => {
  server = await startServer(emptyRegistry());
});

afterAll(async () => {
  await server[Symbol.asyncDispose]();
  expect(server.events.filter(({ type }) => type === 'failure')).toEqual([]);
});

/** Pushes `bytes` as `digest`. Returns the last answer. */
type Way = (bytes: Uint8Array, digest: string, start?: string) => Promise<Answer>;

const WAYS: Readonly<Record<string, Way>> = {
  'one POST': (bytes, digest) => ask(`${server.url}/v2/a/b/blobs/uploads/?digest=${digest}`, 'POST', { body: bytes }),
  'POST and PUT': async (bytes, digest, start) => finish(await open(start), digest, { body: bytes }),
  'one chunk': async (bytes, digest, start) => finish(await chunk(await open(start), bytes, [0, bytes.length]), digest),
  'three chunks': async (bytes, digest, start) => {
    let location = await open(start);
    for (const range of thirds(bytes)) location = await chunk(location, bytes, range);
    return finish(location, digest);
  },
  'three chunks, the last with the PUT': async (bytes, digest, start) => {
    const [first, second, [from, to]] = thirds(bytes);
    const location = await chunk(await chunk(await open(start), bytes, first), bytes, second);
    return finish(location, digest, {
      body: bytes.subarray(from, to),
      headers: { 'Content-Range': `${from}-${to - 1}` },
    });
  },
  'three chunks, each preceded by one out of order': async (bytes, digest, start) => {
    let location = await open(start);
    const ranges = thirds(bytes);
    for (const [at, range] of ranges.entries()) {
      const [from, to] = ranges[at + 1] ?? ranges[0];
      const headers = { 'Content-Range': `${from}-${to - 1}` };
      const refused =
        to === bytes.length
          ? await finish(location, digest, { body: bytes.subarray(from, to), headers })
          : await ask(location, 'PATCH', { body: bytes.subarray(from, to), headers });
      expect(refused.status).toBe(416);
      const status = await ask(location, 'GET');
      expect(status.status).toBe(204);
      expect(status.headers.range).toBe(`0-${Math.max(range[0] - 1, 0)}`);
      location = await chunk(`${server.url}${status.headers.location}`, bytes, range);
    }
    return finish(location, digest);
  },
  'a stream': async (bytes, digest, start) => {
    const patch = await ask(await open(start), 'PATCH', { body: bytes, streamed: true });
    expect(patch.status).toBe(202);
    return finish(`${server.url}${patch.headers.location}`, digest);
  },
};

const MOUNTS: Readonly<Record<string, string>> = { 'a mount': '&from=c', 'a mount from anywhere': '' };

describe.each(['sha256', 'sha512'] satisfies DigestAlgorithm[])('a %s blob', (algorithm) => {
  describe.each(Object.entries(WAYS))('pushed by %s', (_, push) => {
    it.each(['', `?digest-algorithm=${algorithm}`])(
      'is there at once, and gone at once when deleted [%s]',
      async (start) => {
        const bytes = randomBytes(3067);
        const digest = digestOf(bytes, algorithm);
        await expectStored(await push(bytes, digest, start), bytes, digest);
      },
    );

    it('with a wrong digest is refused, and nothing is kept', async () => {
      const digest = digestOf(randomBytes(10), algorithm);
      const answer = await push(randomBytes(3067), digest);
      expect(answer.status).toBe(400);
      expect(answer.json()).toMatchObject({ errors: [{ code: 'DIGEST_INVALID' }] });
      expect((await ask(`${server.url}/v2/a/b/blobs/${digest}`, 'HEAD')).status).toBe(404);
    });
  });

  it.each(Object.entries(MOUNTS))('can come by %s', async (_, from) => {
    const bytes = randomBytes(3067);
    const digest = digestOf(bytes, algorithm);
    await ask(`${server.url}/v2/c/blobs/uploads/?digest=${digest}`, 'POST', { body: bytes });
    const mounted = await ask(`${server.url}/v2/a/b/blobs/uploads/?mount=${digest}${from}`, 'POST');
    await expectStored(mounted, bytes, digest);
    expect((await ask(`${server.url}/v2/c/blobs/${digest}`, 'HEAD')).status).toBe(200);
  });

  it('that is empty can be pushed in every way that takes one piece', async () => {
    const bytes = Buffer.alloc(0);
    const digest = digestOf(bytes, algorithm);
    for (const way of ['one POST', 'POST and PUT', 'a stream']) {
      const answer = await WAYS[way]?.(bytes, digest);
      if (!answer) throw new Error(`no such way [${way}]`);
      await expectStored(answer, bytes, digest);
    }
  });
});

/** Checks that the blob is at the location in the answer until it is deleted. */
async function expectStored(answer: Answer, bytes: Uint8Array, digest: string): Promise<void> {
  expect(answer.status).toBe(201);
  expect(answer.headers['docker-content-digest']).toBe(digest);
  const url = `${server.url}${answer.headers.location}`;
  expect(url).toBe(`${server.url}/v2/a/b/blobs/${digest}`);
  const head = await ask(url, 'HEAD');
  expect(head.headers).toMatchObject({ 'content-length': String(bytes.length), 'docker-content-digest': digest });
  expect((await ask(url, 'GET')).body).toEqual(Buffer.from(bytes));
  expect((await ask(url, 'DELETE')).status).toBe(202);
  expect((await ask(url, 'HEAD')).status).toBe(404);
}

async function open(query = ''): Promise<string> {
  const answer = await ask(`${server.url}/v2/a/b/blobs/uploads/${query}`, 'POST');
  expect(answer.status).toBe(202);
  return `${server.url}${answer.headers.location}`;
}

async function chunk(location: string, bytes: Uint8Array, [from, to]: readonly [number, number]): Promise<string> {
  const headers = { 'Content-Range': `${from}-${to - 1}` };
  const answer = await ask(location, 'PATCH', { body: bytes.subarray(from, to), headers });
  expect(answer.status).toBe(202);
  expect(answer.headers.range).toBe(`0-${to - 1}`);
  return `${server.url}${answer.headers.location}`;
}

function finish(location: string, digest: string, question?: Parameters<typeof ask>[2]): Promise<Answer> {
  const url = new URL(location);
  url.searchParams.set('digest', digest);
  return ask(url.href, 'PUT', question);
}

type Range = readonly [from: number, to: number];

function thirds({ length }: Uint8Array): readonly [Range, Range, Range] {
  const third = Math.ceil(length / 3);
  return [
    [0, third],
    [third, 2 * third],
    [2 * third, length],
  ];
}
