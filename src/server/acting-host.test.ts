import { expect, it } from 'vitest';
import { actingFor } from './acting-host.ts';
import { parseRequest } from './request.ts';

const HOSTS = ['docker.io', 'quay.io'];

function hostAsked(url: string, asked: string | undefined, method = 'GET'): string | undefined {
  const request = actingFor(parseRequest(method, url), asked, HOSTS);
  return 'host' in request ? request.host : undefined;
}

it('who takes the registry for a host means images of that host', () => {
  const url = '/v2/tools/hello/manifests/1';
  for (const asked of ['quay.io', 'QUAY.io:443', 'quay.io:80', 'quay.io.'])
    expect(hostAsked(url, asked)).toBe('quay.io');
  for (const asked of ['docker.io', 'index.docker.io', 'registry-1.docker.io:443'])
    expect(hostAsked(url, asked)).toBe('docker.io');
  expect(hostAsked('/v2/tools/hello/tags/list', 'quay.io')).toBe('quay.io');
});

it('other names mean nothing, and `ns` is the last word', () => {
  const url = '/v2/tools/hello/manifests/1';
  for (const asked of ['registry.lan', '10.0.0.1:5000', 'quay.io:5000', 'x.quay.io', undefined])
    expect(hostAsked(url, asked)).toBeUndefined();
  expect(hostAsked(`${url}?ns=ghcr.io`, 'quay.io')).toBe('ghcr.io');
  expect(hostAsked('/v2/', 'quay.io')).toBeUndefined();
  expect(hostAsked('/v2/_catalog', 'quay.io')).toBeUndefined();
  expect(hostAsked('/v2/tools/hello/blobs/uploads/', 'quay.io', 'POST')).toBeUndefined();
});
