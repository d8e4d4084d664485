import { describe, expect, it } from 'vitest';
import type { HttpAnswer } from '../../io/http/http.ts';
import { digestOf } from '../../oci/digest.ts';
import { OCI_INDEX, OCI_MANIFEST } from '../../oci/media-types.ts';
import type { EndpointHttp } from './endpoint-http.ts';
import { lister } from './lists.ts';
import { digest, type FaultyRegistry, failure, faultyForEach } from './testing/faulty-registry.ts';
import { sendJson, status } from './testing/faulty-server.ts';

let { server, registry } = {} as FaultyRegistry;
faultyForEach((faulty) => ({ server, registry } = faulty));

async function* once(bytes: Uint8Array) {
  yield bytes;
}

const nobody = async (): Promise<never> => {
  throw new Error('nobody asks for a manifest');
};

describe('a list', () => {
  it('is read page by page, relative or absolute, always at the same host, and sorted', async () => {
    server.inject((request, response) => {
      const last = new URL(request.url, 'http://x').searchParams.get('last');
      if (last === null) response.setHeader('link', `</v2/app/tags/list?n=2&last=b>; rel="next"`);
      if (last === 'b') response.setHeader('link', `<https://internal.invalid/v2/app/tags/list?n=2&last=c>; rel=next`);
      return sendJson(response, 200, {
        name: 'app',
        tags: last === null ? ['b', 'a'] : last === 'b' ? ['Z', 'c'] : null,
      });
    });
    expect(await Array.fromAsync(registry.tags('app'))).toEqual(['Z', 'a', 'b', 'c']);
    expect(server.requests).toHaveLength(3);
  });

  it.each([
    [
      'that leads to a path of a machine behind a proxy',
      'http://internal.invalid/repository/proxy/v2/app/tags/list?n=1&last=a',
    ],
    ['that leads into another repository', '/v2/cache/app/tags/list?n=1&last=a'],
    ['that is a query alone', '?n=1&last=a'],
    ['with characters that no request line holds', '/v2/app/tags/list?n=1&last=a&x=\u00e9 b'],
  ])('is asked for with the query of a Link %s, on its own path', async (_what, link) => {
    server.inject((request, response) => {
      if (!request.url.startsWith('/v2/app/tags/list?')) return status(400)(request, response);
      const isLast = request.url.includes('last=a');
      if (!isLast) response.setHeader('link', `<${link}>; rel="next"`);
      return sendJson(response, 200, { tags: [isLast ? 'b' : 'a'] });
    });
    expect(await Array.fromAsync(registry.tags('app'))).toEqual(['a', 'b']);
  });

  it.each(['</v2/app/tags/list>; rel="next"', '<broken; rel="next"', '"x"; rel="next"', '</page/2>; rel="next"'])(
    'fails rather than end early, with the Link %s',
    async (link) => {
      server.inject((_request, response) => {
        response.setHeader('link', link);
        return sendJson(response, 200, { tags: ['a'] });
      });
      const error = await failure(Array.fromAsync(registry.tags('app')));
      expect(error.code).toBe('BAD_ANSWER');
      expect(error.message).toContain('next page');
    },
  );

  it.each([
    ['of pages', { pages: 5, bytes: 1_000_000 }],
    ['of bytes', { pages: 1_000_000, bytes: 400 }],
  ])('that never ends is given up after so many %s', async (_what, limits) => {
    let page = 0;
    const answer = (): HttpAnswer => {
      page += 1;
      return {
        method: 'GET',
        url: { secure: true, host: 'x', path: '/v2/_catalog' },
        status: 200,
        headers: { link: `</v2/_catalog?last=${page}>; rel="next"` },
        textWithin: 1000,
        body: once(Buffer.from(JSON.stringify({ repositories: [], filler: 'x'.repeat(60) }))),
        discard: () => {},
        abort: () => {},
      };
    };
    const http: EndpointHttp = {
      host: 'x',
      root: '/v2',
      send: async () => answer(),
      read: async (_request, take) => await take(answer()),
      hasCredentials: async () => false,
    };
    const manifests = { getManifest: nobody, statManifest: nobody };
    const error = await failure(Array.fromAsync(lister(http, manifests, limits).repositories()));
    expect(error.code).toBe('BAD_ANSWER');
    expect(error.message).toContain('without end');
    expect(page).toBe(5);
  });

  it('whose page breaks off is asked for that page again', async () => {
    const page = JSON.stringify({ tags: ['a', 'b'] });
    server.inject((request, response) => {
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': page.length });
      if (request.nth > 0) response.end(page);
      else response.write(page.slice(0, 8), () => response.destroy());
      return true;
    });
    expect(await Array.fromAsync(registry.tags('app'))).toEqual(['a', 'b']);
  });

  it('that is not a list is BAD_ANSWER; null is an empty list', async () => {
    const list = async (repositories: unknown) => {
      server.inject((_request, response) => sendJson(response, 200, { repositories }));
      return await Array.fromAsync(registry.repositories());
    };
    expect(await list(null)).toEqual([]);
    expect((await failure(list('many'))).code).toBe('BAD_ANSWER');
  });

  it('whose pages form a circle is BAD_ANSWER', async () => {
    server.inject((_request, response) => {
      response.setHeader('link', '</v2/_catalog?n=1>; rel="next"');
      return sendJson(response, 200, { repositories: ['a'] });
    });
    expect((await failure(Array.fromAsync(registry.repositories()))).code).toBe('BAD_ANSWER');
  });

  it('of referrers is filtered here where the host did not', async () => {
    const entry = (artifactType: string) => ({ mediaType: OCI_MANIFEST, digest, size: 2, artifactType });
    const answer = { schemaVersion: 2, mediaType: OCI_INDEX, manifests: [entry('a/b'), entry('c/d')] };
    server.inject((_request, response) => sendJson(response, 200, answer));
    expect(await Array.fromAsync(registry.referrers('app', digest, 'c/d'))).toMatchObject([{ artifactType: 'c/d' }]);
    server.inject((_request, response) => {
      response.setHeader('oci-filters-applied', 'artifactType');
      return sendJson(response, 200, { ...answer, manifests: [entry('c/d')] });
    });
    expect(await Array.fromAsync(registry.referrers('app', digest, 'c/d'))).toHaveLength(1);
  });

  it('of referrers is put in the order of digests, each once, whatever order its pages have', async () => {
    const entry = (name: string) => ({ mediaType: OCI_MANIFEST, digest: digestOf(Buffer.from(name)), size: 2 });
    const entries = ['a', 'b', 'c', 'd'].map(entry).sort((a, b) => (a.digest < b.digest ? 1 : -1));
    server.inject((request, response) => {
      const isFirst = !request.url.includes('page=2');
      if (isFirst) response.setHeader('link', '</v2/app/referrers/x?page=2>; rel="next"');
      const manifests = isFirst ? entries.slice(0, 3) : entries.slice(2);
      return sendJson(response, 200, { schemaVersion: 2, mediaType: OCI_INDEX, manifests });
    });
    const sorted = entries.toReversed();
    expect(await Array.fromAsync(registry.referrers('app', digest))).toEqual(sorted);
    const after = sorted[1]?.digest ?? '';
    expect(await Array.fromAsync(registry.referrers('app', digest, undefined, { after }))).toEqual(sorted.slice(2));
  });

  it('of referrers may have a hundred thousand entries on a page', async () => {
    const entry = (at: number) => `{"mediaType":"a/b","digest":"sha256:${String(at).padStart(64, '0')}","size":2}`;
    const manifests = Array.from({ length: 150_000 }, (_, at) => entry(at)).join();
    server.inject((_request, response) => {
      response.writeHead(200, { 'content-type': OCI_INDEX });
      response.end(`{"schemaVersion":2,"mediaType":"${OCI_INDEX}","manifests":[${manifests}]}`);
      return true;
    });
    expect(await Array.fromAsync(registry.referrers('app', digest))).toHaveLength(150_000);
  });

  it.each([
    ['without its field', {}],
    ['that is null, as Go writes an empty one', { manifests: null }],
  ])('of referrers %s is an empty one; anything else is BAD_ANSWER', async (_what, list) => {
    const referrers = (fields: object) => {
      const answer = { schemaVersion: 2, mediaType: OCI_INDEX, ...fields };
      server.inject((_request, response) => sendJson(response, 200, answer));
      return Array.fromAsync(registry.referrers('app', digest));
    };
    expect(await referrers(list)).toEqual([]);
    expect((await failure(referrers({ manifests: 'many' }))).code).toBe('BAD_ANSWER');
  });

  it('of referrers is read from the tag where there is no such API', async () => {
    const bytes = { schemaVersion: 2, mediaType: OCI_INDEX, manifests: [{ mediaType: OCI_MANIFEST, digest, size: 2 }] };
    server.inject((request, response) => {
      if (!request.url.endsWith(`/manifests/${digest.replace(':', '-')}`)) return status(404)(request, response);
      response.writeHead(200, { 'content-type': OCI_INDEX });
      response.end(JSON.stringify(bytes));
      return true;
    });
    expect(await Array.fromAsync(registry.referrers('app', digest))).toEqual(bytes.manifests);
  });
});
