// `/metrics` of a registry that serves: who may read it, what it tells, and that asking for it is no use of the registry.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { temporaryWorld } from '../testing/temporary-world.ts';
import { serveRegistry } from './serve-registry.ts';

const RULES = `
[[rule]]
repositories = "team/**"
allow = ["pull"]
`;

async function serving(text: string) {
  const world = await temporaryWorld();
  const data = join(world.path, 'data');
  await world.file('data/registry.toml', text);
  const served = await serveRegistry({ listen: ['127.0.0.1:0'], version: '1.2.3' }, world.settings({}, { data }));
  const [address] = served.state.addresses;
  return {
    data,
    metrics: (method = 'GET') => fetch(`http://127.0.0.1:${address?.port}/metrics`, { method }),
    [Symbol.asyncDispose]: async () => {
      await served[Symbol.asyncDispose]();
      await world[Symbol.asyncDispose]();
    },
  };
}

describe('/metrics', () => {
  it('tells who may pull everything of requests, store, health and process', async () => {
    await using registry = await serving('quota = "1 GiB"\n');
    const answer = await registry.metrics();
    expect(answer.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
    const text = await answer.text();
    for (const line of [
      /^images_build_info\{version="1\.2\.3"\} 1$/m,
      /^images_storage_quota_bytes 1073741824$/m,
      /^images_storage_filesystem_avail_bytes [1-9]/m,
      /^images_health_ok\{check="pushes"\} 1$/m,
      /^images_http_connections [1-9]/m,
    ])
      expect(text).toMatch(line);
    const head = await registry.metrics('HEAD');
    expect([head.status, await head.text()]).toEqual([200, '']);
    expect((await registry.metrics('POST')).status).toBe(405);
  });

  it('is not for those who may pull only something, unless the configuration opens it', async () => {
    await using registry = await serving(RULES);
    expect((await registry.metrics()).status).toBe(403);
    await using open = await serving(`${RULES}\n[metrics]\nopen = true\n`);
    expect((await open.metrics()).status).toBe(200);
  });

  it('goes on where the store has gone', async () => {
    await using registry = await serving('');
    await writeFile(join(registry.data, 'x'), '');
    const { rename } = await import('node:fs/promises');
    await rename(registry.data, `${registry.data} away`);
    expect((await registry.metrics()).status).toBe(200);
    await rename(`${registry.data} away`, registry.data);
  });
});
