// Listings over HTTP: end-8a, end-8b, end-12a, end-12b and the catalogue, with their pages.
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { digestOf } from '../oci/digest.ts';
import { manifestDescriptor } from '../oci/manifest.ts';
import { OCI_EMPTY, OCI_INDEX } from '../oci/media-types.ts';
import type { Registry } from '../registry/contract.ts';
import { type Answer, ask } from './testing/ask.ts';
import { emptyRegistry, type Image, image, putImage } from './testing/content.ts';
import { startServer, type TestServer } from './testing/start.ts';

const TAGS = ['1.0', '1.10', '1.2', 'Latest', '_x', 'a', 'b', 'latest'];
const REPOSITORIES = ['a', 'a/b', 'calico/node', 'lib/alpine'];

let registry: Registry;
let server: TestServer;
let subject: Image;

beforeAll(async () => {
  registry = emptyRegistry();
  subject = image();
  for (const tag of [...TAGS].reverse()) await putImage(registry, 'lib/alpine', tag, subject);
  for (const name of REPOSITORIES) await putImage(registry, name, 'latest', subject);
  server = await startServer(registry);
});

afterAll(() => server[Symbol.asyncDispose]());

const get = (path: string): Promise<Answer> => ask(`${server.url}${path}`, 'GET');

/** The pages of a list, as a client that follows Link sees them. */
async function pages(path: string, field: string): Promise<readonly (readonly string[])[]> {
  const all: string[][] = [];
  for (let next: string | undefined = path; next !== undefined; ) {
    const answer: Answer = await get(next);
    expect(answer.status).toBe(200);
    all.push((answer.json() as Record<string, string[]>)[field] ?? []);
    next = /^<([^>]+)>; rel="next"$/.exec(String(answer.headers.link))?.[1];
  }
  return all;
}

describe('tags (end-8)', () => {
  it('are listed in byte order', async () => {
    const answer = await get('/v2/lib/alpine/tags/list');
    expect(answer.status).toBe(200);
    expect(answer.headers['content-type']).toBe('application/json');
    expect(answer.json()).toEqual({ name: 'lib/alpine', tags: TAGS });
    expect(answer.headers).not.toHaveProperty('link');
  });

  it('come in pages of n, each with a link to the next', async () => {
    expect(await pages('/v2/lib/alpine/tags/list?n=3', 'tags')).toEqual([
      TAGS.slice(0, 3),
      TAGS.slice(3, 6),
      TAGS.slice(6),
    ]);
    expect(await pages(`/v2/lib/alpine/tags/list?n=${TAGS.length}`, 'tags')).toEqual([TAGS]);
  });

  it('begin after last, whether that is one of them or not', async () => {
    expect((await get('/v2/lib/alpine/tags/list?last=a')).json()).toMatchObject({ tags: ['b', 'latest'] });
    expect((await get('/v2/lib/alpine/tags/list?last=aa&n=1')).json()).toMatchObject({ tags: ['b'] });
    expect((await get('/v2/lib/alpine/tags/list?last=zzz')).json()).toMatchObject({ tags: [] });
  });

  it('are none for n=0, without a link', async () => {
    const answer = await get('/v2/lib/alpine/tags/list?n=0');
    expect(answer.status).toBe(200);
    expect(answer.json()).toEqual({ name: 'lib/alpine', tags: [] });
    expect(answer.headers).not.toHaveProperty('link');
  });

  it.each(['-1', 'x', '1.5', '1e9'])('n=%s is refused', async (n) => {
    const answer = await get(`/v2/lib/alpine/tags/list?n=${n}`);
    expect(answer.status).toBe(400);
    expect(answer.json()).toMatchObject({ errors: [{ code: 'PAGINATION_NUMBER_INVALID' }] });
  });

  it('of an unknown repository are a 404', async () => {
    const answer = await get('/v2/nobody/tags/list');
    expect(answer.status).toBe(404);
    expect(answer.json()).toMatchObject({ errors: [{ code: 'NAME_UNKNOWN' }] });
  });

  it('of all pages together are the whole list, whatever the page size', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 10 }), async (n) => {
        expect((await pages(`/v2/lib/alpine/tags/list?n=${n}`, 'tags')).flat()).toEqual(TAGS);
      }),
      { numRuns: 10 },
    );
  });
});

describe('the catalogue', () => {
  it('is every repository in byte order', async () => {
    expect((await get('/v2/_catalog')).json()).toEqual({ repositories: REPOSITORIES });
  });

  it('comes in pages', async () => {
    expect(await pages('/v2/_catalog?n=3', 'repositories')).toEqual([REPOSITORIES.slice(0, 3), REPOSITORIES.slice(3)]);
    expect((await get('/v2/_catalog?last=a')).json()).toEqual({ repositories: REPOSITORIES.slice(1) });
    expect((await get('/v2/_catalog?n=0')).json()).toEqual({ repositories: [] });
    expect((await get('/v2/_catalog?n=x')).status).toBe(400);
  });
});

describe('referrers (end-12)', () => {
  it('of a manifest without any, or of an unknown one, are an empty index', async () => {
    for (const path of [
      `lib/alpine/referrers/${digestOf(Buffer.from('none'))}`,
      `nobody/referrers/${subject.manifest.digest}`,
    ]) {
      const answer = await get(`/v2/${path}`);
      expect(answer.status).toBe(200);
      expect(answer.headers['content-type']).toBe(OCI_INDEX);
      expect(answer.json()).toEqual({ schemaVersion: 2, mediaType: OCI_INDEX, manifests: [] });
    }
  });

  it('are described with type and annotations, and filtered by type where asked', async () => {
    const of = manifestDescriptor(subject.manifest);
    const annotations = { 'org.example.key': 'value' };
    const sbom = await putImage(
      registry,
      'lib/alpine',
      'sbom',
      image({ subject: of, artifactType: 'application/sbom+json', annotations }),
    );
    const plain = await putImage(registry, 'lib/alpine', 'plain', image({ subject: of }));
    const path = `/v2/lib/alpine/referrers/${of.digest}`;

    const all = await get(path);
    expect(all.headers).not.toHaveProperty('oci-filters-applied');
    expect((all.json() as { manifests: unknown[] }).manifests).toHaveLength(2);
    expect(all.json()).toMatchObject({
      manifests: expect.arrayContaining([
        { ...manifestDescriptor(sbom.manifest), artifactType: 'application/sbom+json', annotations },
        // The artifact type of an image without one is its config's media type.
        { ...manifestDescriptor(plain.manifest), artifactType: plain.blobs[0]?.descriptor.mediaType },
      ]),
    });

    const filtered = await get(`${path}?artifactType=application/sbom%2Bjson`);
    expect(filtered.headers['oci-filters-applied']).toBe('artifactType');
    expect((filtered.json() as { manifests: unknown[] }).manifests).toEqual([
      { ...manifestDescriptor(sbom.manifest), artifactType: 'application/sbom+json', annotations },
    ]);
    expect((await get(`${path}?artifactType=${OCI_EMPTY}`)).json()).toMatchObject({ manifests: [] });
  });

  it('of a malformed digest are a 400', async () => {
    const answer = await get('/v2/lib/alpine/referrers/sha256:nope');
    expect(answer.status).toBe(400);
    expect(answer.json()).toMatchObject({ errors: [{ code: 'DIGEST_INVALID' }] });
  });

  it('come in pages that stay under the size of a manifest', async () => {
    const of = manifestDescriptor(image().manifest);
    const annotations = { filler: 'x'.repeat(1_500_000) };
    const digests: string[] = [];
    for (const tag of ['r1', 'r2', 'r3', 'r4', 'r5']) {
      const { manifest } = await putImage(registry, 'many', tag, image({ subject: of, annotations }));
      digests.push(manifest.digest);
    }
    const seen: string[] = [];
    let count = 0;
    for (let next: string | undefined = `/v2/many/referrers/${of.digest}`; next !== undefined; count += 1) {
      const answer: Answer = await get(next);
      expect(answer.body.length).toBeLessThan(4.2 * 1024 * 1024);
      seen.push(...(answer.json() as { manifests: { digest: string }[] }).manifests.map(({ digest }) => digest));
      next = /^<([^>]+)>; rel="next"$/.exec(String(answer.headers.link))?.[1];
    }
    expect(count).toBe(3);
    expect(seen).toEqual(digests.sort());
  });
});
