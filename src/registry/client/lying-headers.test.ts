import { describe, expect, it } from 'vitest';
import { digestOf } from '../../oci/digest.ts';
import { rawManifest } from '../../oci/manifest.ts';
import { DOCKER_LIST, DOCKER_MANIFEST, OCI_CONFIG, OCI_INDEX, OCI_MANIFEST } from '../../oci/media-types.ts';
import {
  blob,
  digest,
  type FaultyRegistry,
  failure,
  faultyForEach,
  getBlob,
  index,
} from './testing/faulty-registry.ts';
import { type Fault, status } from './testing/faulty-server.ts';

const config = { mediaType: OCI_CONFIG, digest, size: 2 };
const image = (mediaType?: string) =>
  Buffer.from(JSON.stringify({ schemaVersion: 2, ...(mediaType && { mediaType }), config, layers: [] }));

let { server, registry } = {} as FaultyRegistry;
faultyForEach((faulty) => ({ server, registry } = faulty));

describe('a 201 for a manifest', () => {
  const manifest = rawManifest(index, OCI_INDEX);
  const other = digestOf(Buffer.from('other'));
  const taking = (headers: Readonly<Record<string, string>>, get: Fault = () => false) =>
    server.inject((request, response) =>
      request.method === 'PUT' ? status(201, headers)(request, response) : get(request, response),
    );
  const asked = () => server.requests.map(({ method }) => method);

  it('that names its digest is believed', async () => {
    taking({ 'docker-content-digest': manifest.digest });
    await registry.putManifest('app', manifest, ['lost']);
    expect(asked()).toEqual(['PUT']);
  });

  it.each([{}, { 'docker-content-digest': other }])('that does not (%o) is checked with one HEAD', async (headers) => {
    taking(headers);
    await registry.putManifest('app', manifest, ['latest']);
    expect(asked()).toEqual(['PUT', 'GET']);
    expect(await failure(registry.putManifest('app', manifest, ['lost']))).toMatchObject({
      code: 'BAD_ANSWER',
      message: expect.stringContaining('took the manifest, and has none [lost]'),
    });
  });

  it.each([401, 403])('is believed if that HEAD is not allowed (%i)', async (code) => {
    taking({}, status(code));
    await registry.putManifest('app', manifest, ['lost']);
  });
});

describe('a HEAD that a host does not support', () => {
  const atHead =
    (fault: Fault): Fault =>
    (request, response) =>
      request.method === 'HEAD' ? fault(request, response) : false;
  const expected = { mediaType: OCI_INDEX, digest: digestOf(index), size: index.length };
  /** A 400 to a HEAD may mean that HTTPS is wanted, which only the text of a GET tells: once, the root is asked. */
  const aboutContent = () => server.requests.filter(({ url }) => url !== '/v2/');

  it.each([202, 204, 304, 400, 403, 404, 405, 406, 409, 422, 451, 500, 501])(
    '(%i) is replaced by one GET for a manifest',
    async (code) => {
      server.inject(atHead(status(code)));
      expect(await registry.statManifest('app', 'latest')).toEqual(expected);
      expect(await registry.statManifest('app', digestOf(index))).toEqual(expected);
      expect(await registry.statManifest('app', 'other')).toBeUndefined();
      expect(aboutContent().map(({ method }) => method)).toEqual(['HEAD', 'GET', 'HEAD', 'GET', 'HEAD', 'GET']);
    },
  );

  it.each([202, 204, 304, 400, 403, 405, 409, 422, 451, 500, 501])(
    '(%i) is replaced by a GET of one byte for a blob',
    async (code) => {
      server.inject(atHead(status(code)));
      expect(await registry.statBlob('app', digest)).toMatchObject({ size: blob.length });
      expect(await registry.statBlob('app', digestOf(Buffer.from('x')))).toBeUndefined();
      const ranges = aboutContent().map(({ headers }) => headers.range);
      expect(ranges).toEqual([undefined, 'bytes=0-0', undefined, 'bytes=0-0']);
    },
  );

  it.each([
    ['no length', { 'content-type': OCI_INDEX, 'docker-content-digest': digestOf(index) }],
    ['no digest', { 'content-type': OCI_INDEX, 'content-length': `${index.length}` }],
    ['no type', { 'docker-content-digest': digestOf(index), 'content-length': `${index.length}` }],
    [
      'the length of what is coded',
      {
        'content-type': OCI_INDEX,
        'docker-content-digest': digestOf(index),
        'content-length': '7',
        'content-encoding': 'gzip',
      },
    ],
  ])('with %s is treated alike', async (_what, headers) => {
    server.inject(atHead(status(200, headers)));
    expect(await registry.statManifest('app', 'latest')).toEqual(expected);
  });

  it('with another digest than the one asked for is treated alike', async () => {
    const lie = { 'content-type': OCI_MANIFEST, 'docker-content-digest': digest, 'content-length': '7' };
    server.inject(atHead(status(200, lie)));
    expect(await registry.statManifest('app', digestOf(index))).toEqual(expected);
  });

  it('without a length is treated alike for a blob', async () => {
    server.inject(
      atHead((_request, response) => response.writeHead(200, { 'transfer-encoding': 'chunked' }).end() && true),
    );
    expect(await registry.statBlob('app', digest)).toMatchObject({ size: blob.length });
  });
});

describe('a manifest’s Content-Type', () => {
  it.each([
    [image(DOCKER_MANIFEST), OCI_MANIFEST, DOCKER_MANIFEST],
    [image(OCI_MANIFEST), DOCKER_MANIFEST, OCI_MANIFEST],
    [image(), DOCKER_MANIFEST, OCI_MANIFEST],
    [index, DOCKER_LIST, OCI_INDEX],
  ])('gives way to the type in the manifest, if both are of one kind', async (bytes, type, own) => {
    server.inject(status(200, { 'content-type': type }, bytes.toString()));
    expect(await registry.getManifest('app', 'latest')).toEqual(rawManifest(bytes, own));
    expect(await registry.getManifest('app', digestOf(bytes))).toEqual(rawManifest(bytes, own));
  });

  it.each([
    [index, OCI_MANIFEST, OCI_INDEX],
    [index, DOCKER_MANIFEST, OCI_INDEX],
    [image(OCI_MANIFEST), OCI_INDEX, OCI_MANIFEST],
    [image(), DOCKER_LIST, OCI_MANIFEST],
  ])(
    'that calls an image an index, or the reverse, is refused, and nothing is called damaged',
    async (bytes, type, own) => {
      server.inject(status(200, { 'content-type': type }, bytes.toString()));
      for (const reference of ['latest', digestOf(bytes)]) {
        const error = await failure(registry.getManifest('app', reference));
        expect(error.code).toBe('MANIFEST_INVALID');
        expect(error.message).toContain(type);
        expect(error.message).toContain(own);
        expect(`${error.message} ${error.hint}`).not.toMatch(/damage/i);
      }
    },
  );
});

describe('a range', () => {
  it('that a host honours only once does not keep a blob that broke off from being completed', async () => {
    server.inject((request, response) => {
      if (request.headers.range) return status(416)(request, response);
      response.setHeader('content-length', blob.length);
      response.writeHead(200);
      if (request.nth > 0) response.end(blob);
      else response.write(blob.subarray(0, 100_000), () => response.destroy());
      return true;
    });
    expect((await getBlob(registry)).equals(blob)).toBe(true);
  });
});
