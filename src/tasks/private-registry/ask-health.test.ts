// Answers of servers to a health check.

import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { askHealth } from './ask-health.ts';

async function listener(answer: (response: ServerResponse) => void): Promise<string> {
  const server = createServer((_, response) => answer(response)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

describe('the health of a registry', () => {
  it('is ok, or the registry’s own text on one line', async () => {
    expect((await askHealth(await listener((response) => response.end('ok\n')), {})).said).toBe('ok');
    const ill = await listener((response) => response.writeHead(503).end('pulls: a\npushes: b\n'));
    expect((await askHealth(ill, {})).said).toBe('pulls: a; pushes: b');
    expect((await askHealth(await listener((response) => response.writeHead(500).end()), {})).said).toBe('status 500');
    expect((await askHealth(await listener((response) => response.destroy()), {})).said).toMatch(/^no answer \(/);
  });

  it('says of each check since when it is so, and of an earlier version what that says', async () => {
    const since = '2026-06-01T00:00:00Z';
    const checks = [
      { name: 'pulls', ok: true, since },
      { name: 'quota', ok: false, problem: 'the limit is reached', since },
    ];
    const ill = await listener((response) =>
      response.writeHead(503).end(JSON.stringify({ status: 'failing', checks })),
    );
    expect(await askHealth(ill, {})).toEqual({ said: 'quota: the limit is reached', checks });
    const asked: string[] = [];
    const old = createServer(({ url = '' }, response) => {
      asked.push(url);
      response.writeHead(url === '/healthz' ? 503 : 404).end('pushes: full\n');
    }).listen(0, '127.0.0.1');
    await once(old, 'listening');
    onTestFinished(() => void old.close());
    const host = `127.0.0.1:${(old.address() as AddressInfo).port}`;
    expect(await askHealth(host, {})).toEqual({ said: 'pushes: full' });
    expect(asked).toEqual(['/readyz?format=json', '/healthz']);
  });

  it('is waited for only so long, even if the answer goes on', async () => {
    const endless = await listener((response) => {
      response.writeHead(503);
      const more = () => response.write('x'.repeat(10_000));
      response.on('drain', more);
      more();
    });
    expect((await askHealth(endless, {})).said).toBe('x'.repeat(500));
    const trickling = await listener((response) => {
      response.writeHead(503).flushHeaders();
      const timer = setInterval(() => response.write('x'), 20);
      response.on('close', () => clearInterval(timer));
    });
    expect((await askHealth(trickling, {}, 300)).said).toBe('no answer within 0.3 s');
  });
});
