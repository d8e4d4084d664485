// Malformed requests: each is refused as the client's mistake, none causes a server error, and the server still answers afterwards.
import { readdir } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type TemporaryDirectory, temporaryDirectory } from '../../test/peers/temporary.ts';
import { anyText } from '../../test/testing/any-text.ts';
import { rounds, timeFor } from '../../test/testing/soak.ts';
import { OCI_INDEX, OCI_MANIFEST } from '../oci/media-types.ts';
import { openEmbeddedStore } from '../storage/embedded-store.ts';
import { ask } from './testing/ask.ts';
import { type Image, putImage } from './testing/content.ts';
import { startServer, type TestServer } from './testing/start.ts';

let scratch: TemporaryDirectory;
let server: TestServer;
let image: Image;

beforeAll(async () => {
  scratch = await temporaryDirectory('odd');
  const store = await openEmbeddedStore(join(scratch.path, 'store'));
  image = await putImage(store.registry, 'a/b', 'v1');
  await store.names.set('quay.io', 'a/b', 'v1', image.manifest.digest);
  server = await startServer(store.registry);
});

afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await scratch[Symbol.asyncDispose]();
});

const LONG = 'x'.repeat(300);
const DIGEST = `sha256:${'0'.repeat(64)}`;

/** Unexpected values: dots, slashes, NUL, line ends, invalid UTF-8, very long ones, empty ones. */
const oddText = fc.oneof(
  fc.constantFrom(
    '',
    '.',
    '..',
    '...',
    '-',
    '_',
    '~',
    '/',
    '//',
    '../..',
    'a/../b',
    './a',
    'a/.',
    '_tags',
    '_layers',
    ':',
    '@',
    '*',
    '?',
  ),
  fc.constantFrom(
    '%00',
    'a%00b',
    '%2e%2e',
    '%2f',
    '%2e%2e%2fetc%2fpasswd',
    '%0d%0aX-Y:z',
    '%ff',
    '%c0%ae',
    '%',
    '%zz',
    '%25',
    '%e2%80%ae',
  ),
  fc.constantFrom(
    LONG,
    'a/'.repeat(130),
    'x'.repeat(20_000),
    'A',
    'ä',
    '\u0001',
    '[::1]',
    '[',
    'a:0',
    'localhost',
    '18446744073709551616',
  ),
  fc.string({ maxLength: 20 }).map(encodeURIComponentSafely),
);

const digest = () =>
  fc.oneof(
    fc.constantFrom(DIGEST, image.manifest.digest, ...image.blobs.map(({ descriptor }) => descriptor.digest)),
    fc.constantFrom(
      'sha256:',
      'sha256:..',
      `sha256:${'0'.repeat(63)}/`,
      `sha512:${'0'.repeat(128)}`,
      'md5:0',
      `SHA256:${'0'.repeat(64)}`,
    ),
    oddText,
  );
const name = () => fc.oneof(fc.constantFrom('a/b', 'a', 'quay.io/a/b', 'localhost/a/b', 'library/b'), oddText);

const query = () =>
  fc.array(
    fc.tuple(
      fc.constantFrom('n', 'last', 'digest', 'digest-algorithm', 'mount', 'from', 'tag', 'ns', 'artifactType', '', 'x'),
      fc.oneof(digest(), name(), fc.constantFrom('1', '0', '-1', '1e9', '99999999999999999999', 'quay.io', 'v1')),
    ),
    { maxLength: 4 },
  );

const headerValue = fc.oneof(
  fc.constantFrom(
    '0-0',
    '0-9',
    '5-1',
    '-',
    '0-',
    '-1',
    `0-${'9'.repeat(40)}`,
    'bytes 0-9/*',
    'bytes=0-1,3-4',
    'bytes=-1,-2,-3',
    'bytes=0-0,'.repeat(500),
  ),
  fc.constantFrom(
    '*',
    '"x"',
    'W/"x"',
    OCI_MANIFEST,
    OCI_INDEX,
    `${OCI_MANIFEST}; charset=utf-8`,
    ';',
    ',',
    'x'.repeat(10_000),
    '\u00ff\u00fe',
    '',
    '\t',
  ),
);
const headers = fc.dictionary(
  fc.constantFrom(
    'Range',
    'Content-Range',
    'If-None-Match',
    'If-Range',
    'Content-Type',
    'Accept',
    'Docker-Upload-UUID',
    'Docker-Content-Digest',
    'Authorization',
    'Content-Encoding',
    'OCI-Chunk-Min-Length',
    'Cookie',
    'TE',
    'Upgrade',
  ),
  headerValue,
  { maxKeys: 4 },
);

const method = fc.constantFrom('GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE', 'PROPFIND');

const body = () =>
  fc.oneof(
    fc.constantFrom(undefined, '', '{}', 'null', '[]', '"x"', '{"schemaVersion":2}', '\ufeff{}'),
    fc.constant(Buffer.from(image.manifest.bytes)),
    fc.constantFrom(
      '['.repeat(200_000),
      `{"schemaVersion":2,"mediaType":"${OCI_INDEX}","manifests":[],"x":${nested(100_000)}}`,
    ),
    fc
      .tuple(
        fc.constantFrom(
          'config',
          'layers',
          'manifests',
          'subject',
          'annotations',
          'mediaType',
          'artifactType',
          'schemaVersion',
        ),
        oddJson(),
      )
      .map(
        ([field, value]) =>
          `{"schemaVersion":2,"mediaType":"${field === 'manifests' ? OCI_INDEX : OCI_MANIFEST}","config":{"mediaType":"x","digest":"${DIGEST}","size":2},"layers":[],"${field}":${value}}`,
      ),
    fc.uint8Array({ maxLength: 100 }),
  );

function oddJson() {
  return fc.oneof(
    fc.json(),
    fc.constantFrom(
      nested(50_000),
      `[${nested(50_000)}]`,
      `{"digest":${nested(50_000)}}`,
      '-1',
      '1e400',
      '"\\u0000"',
      '"\\ud800"',
      '{"__proto__":{"a":1}}',
      `{"digest":"${'x'.repeat(100_000)}"}`,
    ),
  );
}

function nested(depth: number): string {
  return '['.repeat(depth) + ']'.repeat(depth);
}

const path = () =>
  fc.oneof(
    fc
      .tuple(
        name(),
        fc.constantFrom('blobs', 'manifests', 'referrers', 'tags', 'blobs/uploads', '_x'),
        fc.oneof(
          digest(),
          fc.constantFrom(
            'v1',
            'list',
            'uploads',
            'uploads/',
            `uploads/${DIGEST}`,
            'uploads/00000000-0000-0000-0000-000000000000',
          ),
        ),
      )
      .map((parts) => `/v2/${parts.join('/')}`),
    fc
      .tuple(
        fc.constantFrom(
          '/v2/',
          '/v2',
          '/',
          '/healthz',
          '/v2/_catalog',
          '/v1/',
          '/v2//_catalog',
          'http://x/v2/',
          '*',
          '/v2/../..',
          '//',
        ),
      )
      .map(([only]) => only),
    oddText.map((text) => `/${text}`),
  );

it('random requests never make the server answer with an error of its own', { timeout: timeFor(120_000) }, async () => {
  await fc.assert(
    fc.asyncProperty(method, path(), query(), headers, body(), async (verb, where, parameters, fields, content) => {
      const text = parameters.map(([key, value]) => `${key}=${value}`).join('&');
      const answer = await send(verb, `${where}${text && `?${text}`}`, fields, content);
      expect(answer.status, answer.text).toBeLessThan(500);
    }),
    { numRuns: rounds(150) },
  );
  expect(server.events.filter(({ type }) => type === 'failure')).toEqual([]);
  expect((await ask(`${server.url}/v2/a/b/manifests/${image.manifest.digest}`, 'GET')).status).toBeLessThan(500);
});

it('requests with invalid manifests are refused', async () => {
  const fields = [
    'config',
    'layers',
    'manifests',
    'subject',
    'annotations',
    'mediaType',
    'artifactType',
    'schemaVersion',
    'platform',
  ];
  const values = [
    nested(10_000),
    `{"a":${nested(10_000)}}`,
    `{"digest":${nested(10_000)}}`,
    '{"digest":"x"}',
    '1',
    'null',
    '"\u0000"',
  ];
  const large = [nested(2_000_000), `"${'x'.repeat(1_000_000)}"`];
  const sent = [
    ...fields.flatMap((field) => values.map((value) => ({ field, value }))),
    // Nearly as much as a manifest may have: parsed whole, whatever the field. All fields in `npm run soak`.
    ...fields.slice(0, rounds(1)).flatMap((field) => large.map((value) => ({ field, value }))),
  ];
  for (const { field, value } of sent) {
    for (const mediaType of [OCI_MANIFEST, OCI_INDEX]) {
      const content = `{"mediaType":"${mediaType}","schemaVersion":2,"${field}":${value}}`;
      const { status, text } = await send('PUT', '/v2/a/b/manifests/odd', { 'Content-Type': mediaType }, content);
      expect([201, 400], `${field}: ${value.slice(0, 40)}`).toContain(status);
      expect(text.length).toBeLessThan(5000);
    }
  }
  expect(server.events.filter(({ type }) => type === 'failure')).toEqual([]);
});

it('random requests leave nothing outside of the store, and in it only what the layout has', async () => {
  expect(await readdir(scratch.path)).toEqual(['store']);
  expect((await readdir(join(scratch.path, 'store'))).sort()).toEqual(['docker', 'images']);
  const known = ['format', 'history', 'names', 'referrers', 'stage', 'tmp'];
  for (const folder of await readdir(join(scratch.path, 'store/images'))) expect(known).toContain(folder);
});

it('requests that are not HTTP, or only half of it, end their own connection alone', async () => {
  const line = fc.oneof(
    fc.constantFrom(
      'GET / HTTP/1.1',
      'GET / HTTP/9.9',
      'GET /',
      'X',
      '\u0000',
      'Host: x',
      'Content-Length: -1',
      'Content-Length: 5',
      'Transfer-Encoding: chunked',
      'Expect: 100-continue',
      'Expect: x',
      'Upgrade: websocket',
      'Connection: Upgrade',
      'CONNECT x:1 HTTP/1.1',
      'ffffffffffffffffffff',
      '5\r\nhello',
      '0',
      '',
    ),
    anyText({ maxLength: 30 }),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(line, { maxLength: 12 }), async (lines) => {
      const socket = connect(Number(server.host.split(':')[1]), '127.0.0.1');
      socket.on('error', () => undefined).resume();
      socket.end(`${lines.join('\r\n')}\r\n\r\n`);
      await new Promise((resolve) => setTimeout(resolve, 2));
      socket.destroy();
    }),
    { numRuns: rounds(60) },
  );
  expect((await ask(`${server.url}/v2/`, 'GET')).status).toBe(200);
  expect(server.events.filter(({ type }) => type === 'failure')).toEqual([]);
});

/** Uses a raw connection, because HTTP clients refuse to send such requests. */
function send(
  verb: string,
  target: string,
  fields: Readonly<Record<string, string>>,
  content: Uint8Array | string | undefined,
): Promise<{ readonly status: number; readonly text: string }> {
  const bytes = Buffer.from(content ?? '');
  const lines = Object.entries(fields).map(([key, value]) => `${key}: ${value}\r\n`);
  const length = content === undefined ? '' : `Content-Length: ${bytes.length}\r\n`;
  const head = `${verb} ${target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n${length}${lines.join('')}\r\n`;
  return new Promise((resolve) => {
    const socket = connect(Number(server.host.split(':')[1]), '127.0.0.1');
    const chunks: Buffer[] = [];
    socket.on('data', (chunk: Buffer) => chunks.push(chunk));
    // The server answers invalid HTTP and resets the connection, so the answer may be lost. Server errors show among the events.
    socket.on('error', () => undefined);
    socket.on('close', () => {
      const text = Buffer.concat(chunks).toString('latin1');
      resolve({ status: Number(/^HTTP\/1\.1 (\d{3})/.exec(text)?.[1] ?? 0), text: text.slice(0, 1000) });
    });
    socket.write(Buffer.from(head, 'latin1'));
    socket.write(bytes);
  });
}

function encodeURIComponentSafely(text: string): string {
  return encodeURIComponent(text.toWellFormed());
}
