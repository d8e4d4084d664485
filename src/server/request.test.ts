// A request line becomes one value: every end-point of the specification, and everything that can be invalid in one.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { rounds } from '../../test/testing/soak.ts';
import { isImagesError } from '../oci/errors.ts';
import { isRepositoryPath } from '../oci/reference.ts';
import { parseRequest } from './request.ts';

const SHA256 = `sha256:${'ab'.repeat(32)}` as const;
const SHA512 = `sha512:${'cd'.repeat(64)}` as const;

function codeOf(method: string, url: string): string | undefined {
  try {
    parseRequest(method, url);
    return undefined;
  } catch (error) {
    if (isImagesError(error)) return error.code;
    throw error;
  }
}

describe('parsing a request', () => {
  it.each([
    ['GET', '/v2/', { kind: 'ping' }],
    ['GET', '/v2', { kind: 'ping' }],
    ['GET', `/v2/a/b/blobs/${SHA256}`, { kind: 'blob-get', repository: 'a/b', digest: SHA256, head: false }],
    ['HEAD', `/v2/a/blobs/${SHA512}`, { kind: 'blob-get', repository: 'a', digest: SHA512, head: true }],
    ['GET', '/v2/a/manifests/v1', { kind: 'manifest-get', repository: 'a', reference: 'v1', head: false }],
    ['HEAD', `/v2/a/manifests/${SHA256}`, { kind: 'manifest-get', repository: 'a', reference: SHA256, head: true }],
    ['POST', '/v2/a/blobs/uploads/', { kind: 'upload-start', repository: 'a' }],
    ['POST', '/v2/a/blobs/uploads', { kind: 'upload-start', repository: 'a' }],
    [
      'POST',
      '/v2/a/blobs/uploads/?digest-algorithm=sha512',
      { kind: 'upload-start', repository: 'a', algorithm: 'sha512' },
    ],
    ['POST', `/v2/a/blobs/uploads/?digest=${SHA256}`, { kind: 'upload-whole', repository: 'a', digest: SHA256 }],
    ['PATCH', '/v2/a/blobs/uploads/id-1', { kind: 'upload-chunk', repository: 'a', id: 'id-1' }],
    [
      'PUT',
      `/v2/a/blobs/uploads/id?digest=${SHA256}`,
      { kind: 'upload-finish', repository: 'a', id: 'id', digest: SHA256 },
    ],
    ['PUT', '/v2/a/manifests/v1', { kind: 'manifest-put', repository: 'a', tags: ['v1'] }],
    [
      'PUT',
      `/v2/a/manifests/${SHA512}?tag=1&tag=1.2&tag=1`,
      { kind: 'manifest-put', repository: 'a', digest: SHA512, tags: ['1', '1.2'] },
    ],
    ['GET', '/v2/a/tags/list', { kind: 'tag-list', repository: 'a', page: {} }],
    ['GET', '/v2/a/tags/list?n=0&last=b', { kind: 'tag-list', repository: 'a', page: { n: 0, last: 'b' } }],
    ['DELETE', '/v2/a/manifests/v1', { kind: 'tag-delete', repository: 'a', tag: 'v1' }],
    ['DELETE', `/v2/a/manifests/${SHA256}`, { kind: 'manifest-delete', repository: 'a', digest: SHA256 }],
    ['DELETE', `/v2/a/blobs/${SHA256}`, { kind: 'blob-delete', repository: 'a', digest: SHA256 }],
    [
      'POST',
      `/v2/a/blobs/uploads/?mount=${SHA256}&from=b/c`,
      { kind: 'blob-mount', repository: 'a', digest: SHA256, from: 'b/c' },
    ],
    ['POST', `/v2/a/blobs/uploads/?mount=${SHA256}`, { kind: 'blob-mount', repository: 'a', digest: SHA256 }],
    [
      'GET',
      `/v2/a/referrers/${SHA256}?artifactType=application/vnd.x%2Bjson`,
      { kind: 'referrer-list', repository: 'a', digest: SHA256, artifactType: 'application/vnd.x+json' },
    ],
    ['GET', '/v2/a/blobs/uploads/id', { kind: 'upload-status', repository: 'a', id: 'id' }],
    ['DELETE', '/v2/a/blobs/uploads/id', { kind: 'upload-cancel', repository: 'a', id: 'id' }],
    ['GET', '/v2/_catalog?n=5', { kind: 'catalog', page: { n: 5 } }],
    ['GET', '/', { kind: 'about' }],
    ['GET', '/healthz', { kind: 'health' }],
  ])('%s %s', (method, url, expected) => {
    expect(parseRequest(method, url)).toEqual(expected);
  });

  it('takes the words of the API as parts of names', () => {
    expect(parseRequest('GET', '/v2/blobs/uploads/tags/list/manifests/v1')).toMatchObject({
      repository: 'blobs/uploads/tags/list',
      reference: 'v1',
    });
    expect(parseRequest('GET', '/v2/a/manifests/tags/list')).toMatchObject({
      kind: 'tag-list',
      repository: 'a/manifests',
    });
    expect(parseRequest('POST', '/v2/a/blobs/blobs/uploads/')).toMatchObject({ repository: 'a/blobs' });
  });

  it('reads the absolute form that clients of a proxy send', () => {
    expect(parseRequest('GET', 'http://127.0.0.1:5000/v2/a/tags/list?n=1')).toMatchObject({
      repository: 'a',
      page: { n: 1 },
    });
    expect(parseRequest('GET', 'http://127.0.0.1:5000')).toEqual({ kind: 'about' });
  });

  it('decodes what need not have been encoded', () => {
    expect(parseRequest('GET', `/v2/a%2Fb/blobs/${SHA256.replace(':', '%3A')}`)).toMatchObject({
      repository: 'a/b',
      digest: SHA256,
    });
  });

  it('takes an unencoded plus in a media type as one', () => {
    expect(parseRequest('GET', `/v2/a/referrers/${SHA256}?artifactType=application/x+json`)).toMatchObject({
      artifactType: 'application/x+json',
    });
  });

  it('keeps the host that a name was asked for at', () => {
    expect(parseRequest('GET', '/v2/a/manifests/v1?ns=quay.io:443')).toMatchObject({ host: 'quay.io:443' });
    expect(parseRequest('GET', '/v2/a/manifests/v1?ns=registry')).toMatchObject({ host: 'registry' });
    expect(parseRequest('GET', '/v2/a/manifests/v1?ns=')).not.toHaveProperty('host');
  });
});

it.each(['.', '..', '...', '-', '../..', 'a/b', 'a%2fb', '%00', 'a%0d%0ab', '%ff', '[', 'a:0', 'x'.repeat(300)])(
  'an invalid host in `ns` is refused for every end-point: [%s]',
  (host) => {
    for (const [method, path] of [
      ['GET', 'manifests/v1'],
      ['HEAD', `blobs/${SHA256}`],
      ['GET', 'tags/list'],
      ['GET', `referrers/${SHA256}`],
    ] as const) {
      expect(() => parseRequest(method, `/v2/a/${path}?ns=${host}`)).toThrow(
        expect.objectContaining({ code: 'NAME_INVALID' }),
      );
    }
  },
);

describe('the error code of a wrong request', () => {
  it.each([
    ['GET', '/v2/UPPER/tags/list', 'NAME_INVALID'],
    ['GET', '/v2//a/tags/list', 'NAME_INVALID'],
    ['GET', '/v2/a//b/tags/list', 'NAME_INVALID'],
    ['GET', '/v2/../a/tags/list', 'NAME_INVALID'],
    ['GET', '/v2/a/%2e%2e/b/manifests/v1', 'NAME_INVALID'],
    ['GET', '/v2/tags/list', 'NAME_INVALID'],
    ['GET', '/v2/a%zz/tags/list', 'NAME_INVALID'],
    ['GET', `/v2/${'a'.repeat(256)}/tags/list`, 'NAME_INVALID'],
    ['POST', '/v2/-a/blobs/uploads/', 'NAME_INVALID'],
    ['POST', `/v2/a/blobs/uploads/?mount=${SHA256}&from=../b`, 'NAME_INVALID'],
    ['GET', '/v2/a/blobs/sha256:short', 'DIGEST_INVALID'],
    ['GET', `/v2/a/blobs/${SHA256.toUpperCase()}`, 'DIGEST_INVALID'],
    ['GET', '/v2/a/blobs/latest', 'DIGEST_INVALID'],
    ['HEAD', '/v2/a/manifests/sha256:baddigeststring', 'DIGEST_INVALID'],
    ['PUT', '/v2/a/manifests/sha256:baddigeststring', 'DIGEST_INVALID'],
    ['GET', `/v2/a/manifests/md5:${'0'.repeat(32)}`, 'DIGEST_INVALID'],
    ['GET', '/v2/a/referrers/sha256:nope', 'DIGEST_INVALID'],
    ['POST', '/v2/a/blobs/uploads/?digest=nope', 'DIGEST_INVALID'],
    ['POST', '/v2/a/blobs/uploads/?mount=nope', 'DIGEST_INVALID'],
    ['POST', '/v2/a/blobs/uploads/?digest-algorithm=md5', 'DIGEST_INVALID'],
    ['PUT', '/v2/a/blobs/uploads/id', 'DIGEST_INVALID'],
    ['PUT', '/v2/a/manifests/.hidden', 'TAG_INVALID'],
    ['PUT', '/v2/a/manifests/b/c', 'TAG_INVALID'],
    ['GET', '/v2/a/manifests/b%2Fc', 'MANIFEST_UNKNOWN'],
    ['GET', '/v2/a/blobs/b/c', 'DIGEST_INVALID'],
    ['PUT', `/v2/a/manifests/${'t'.repeat(129)}`, 'TAG_INVALID'],
    ['PUT', `/v2/a/manifests/${SHA256}?tag=a/b`, 'TAG_INVALID'],
    ['DELETE', '/v2/a/manifests/-x', 'TAG_INVALID'],
    ['GET', '/v2/a/manifests/.hidden', 'MANIFEST_UNKNOWN'],
    ['PATCH', '/v2/a/blobs/uploads/..', 'BLOB_UPLOAD_UNKNOWN'],
    ['GET', '/v2/a/tags/list?n=-1', 'PAGINATION_NUMBER_INVALID'],
    ['GET', '/v2/a/tags/list?n=1e3', 'PAGINATION_NUMBER_INVALID'],
    ['GET', '/v2/_catalog?n=x', 'PAGINATION_NUMBER_INVALID'],
  ])('%s %s', (method, url, code) => {
    expect(codeOf(method, url)).toBe(code);
  });

  it.each([
    ['POST', '/v2/', ['GET', 'HEAD']],
    ['GET', '/v2/a/blobs/uploads/', ['POST']],
    ['POST', '/v2/a/manifests/v1', ['GET', 'HEAD', 'PUT', 'DELETE']],
    ['PUT', `/v2/a/blobs/${SHA256}`, ['GET', 'HEAD', 'DELETE']],
    ['POST', '/v2/a/blobs/uploads/id', ['GET', 'HEAD', 'PATCH', 'PUT', 'DELETE']],
    ['DELETE', '/v2/_catalog', ['GET', 'HEAD']],
    ['BREW', '/v2/a/tags/list', ['GET', 'HEAD']],
  ])('says of %s %s that the method is not allowed, and which ones are', (method, url, allow) => {
    expect(parseRequest(method, url)).toEqual({ kind: 'method-not-allowed', method, allow });
  });

  it.each(['/v1/', '/v2/a', '/v2/a/b', '/favicon.ico', '/v3/a/tags/list'])(
    'is absent for %s, which is not a path of the API',
    (url) => {
      expect(parseRequest('GET', url)).toMatchObject({ kind: 'not-found' });
    },
  );
});

describe('any text as a request', () => {
  const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'];
  const word = fc.constantFrom(
    'v2',
    'a',
    'blobs',
    'uploads',
    'manifests',
    'tags',
    'list',
    '..',
    '',
    '%2e',
    'A',
    SHA256,
    '?',
    '?n=',
  );

  it('gives a valid request or an error with a code', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...METHODS),
        fc.oneof(
          fc.webPath(),
          fc.string(),
          fc.array(word).map((words) => `/v2/${words.join('/')}`),
        ),
        (method, url) => {
          try {
            const request = parseRequest(method, url);
            return !('repository' in request) || isRepositoryPath(request.repository);
          } catch (error) {
            return isImagesError(error);
          }
        },
      ),
      { numRuns: rounds(500) },
    );
  });

  it('keeps a valid name as it is', () => {
    const part = fc.stringMatching(/^[a-z0-9]{1,8}(?:(?:\.|_|__|-{1,3})[a-z0-9]{1,8}){0,2}$/);
    fc.assert(
      fc.property(fc.array(part, { minLength: 1, maxLength: 5 }), (parts) => {
        const repository = parts.join('/');
        expect(parseRequest('GET', `/v2/${repository}/manifests/v1`)).toMatchObject({ repository });
        expect(parseRequest('GET', `/v2/${repository}/tags/list`)).toMatchObject({ repository });
        expect(parseRequest('PATCH', `/v2/${repository}/blobs/uploads/x`)).toMatchObject({ repository });
      }),
    );
  });
});
