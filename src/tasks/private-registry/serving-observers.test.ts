// What happens in a registry, as it is told over HTTP while it happens.
import { once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';
import { connect } from 'node:http2';
import { expect, it, onTestFinished } from 'vitest';
import { eventually } from '../../../test/testing/eventually.ts';
import { temporaryWorld } from '../testing/temporary-world.ts';
import { type ServeRequest, serveRegistry } from './serve-registry.ts';

async function started(request: Partial<ServeRequest> = {}) {
  const world = await temporaryWorld();
  onTestFinished(() => world[Symbol.asyncDispose]());
  const served = await serveRegistry({ listen: ['127.0.0.1:0'], version: '1', ...request }, world.settings());
  onTestFinished(() => served[Symbol.asyncDispose]());
  const [address] = served.state.addresses;
  return { served, url: `${address?.tls ? 'https' : 'http'}://127.0.0.1:${address?.port}` };
}

/** What has come of a stream, and whether it has ended. */
function read(stream: AsyncIterable<string>) {
  const seen = { text: '', isOver: false };
  void (async () => {
    for await (const piece of stream) seen.text += piece;
    seen.isOver = true;
  })().catch(() => undefined);
  return seen;
}

async function watch(url: string, headers: Record<string, string> = {}) {
  const request = get(`${url}/images/events`, { agent: false, headers });
  onTestFinished(() => void request.destroy());
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  return { response, seen: read(response.setEncoding('utf8')), leave: () => request.destroy() };
}

it('who watches sees each request, and goes on from a cursor', async () => {
  const { url } = await started();
  const { response, seen } = await watch(url);
  expect(response.headers).toMatchObject({ 'content-type': 'text/event-stream; charset=utf-8' });
  const headers = { 'X-Request-ID': 'of-a-node' };
  await (await fetch(`${url}/v2/a/manifests/1?token=geheim`, { headers })).text();
  await eventually(() => seen.text.includes('"event":"request"'));
  const [, cursor = '', json = ''] = /^id: (.*)\ndata: (.*"event":"request".*)$/m.exec(seen.text) ?? [];
  expect(JSON.parse(json)).toMatchObject({ cursor, request: 'of-a-node', repository: 'a', status: 404, who: 'nobody' });
  expect(seen.text).not.toContain('geheim');
  await (await fetch(`${url}/v2/`)).text();
  const { seen: later } = await watch(url, { 'Last-Event-ID': cursor });
  await eventually(() => later.text.includes('"kind":"ping"'));
  expect(later.text).not.toContain('of-a-node');
});

it('watching is no use of the registry, and does not delay its end', async () => {
  const told: string[] = [];
  const { served, url } = await started({ onObservation: ({ type }) => told.push(type) });
  const { seen } = await watch(url);
  await served[Symbol.asyncDispose]();
  // Cut off at the end of the grace period, it would not have ended.
  await eventually(() => seen.isOver);
  expect(seen.text).toContain('"event":"stopping"');
  expect(told).toContain('stopped');
});

it('who leaves makes room for others; too many are refused', async () => {
  const { url } = await started();
  const all = [];
  for (let at = 0; at < 16; at++) all.push(await watch(url));
  expect((await watch(url)).response.statusCode).toBe(429);
  all[0]?.leave();
  await eventually(async () => {
    const { response, leave } = await watch(url);
    if (response.statusCode !== 200) leave();
    return response.statusCode === 200;
  });
});

it('over HTTP/2 it is the same', async () => {
  const { url, served } = await started({ tls: 'auto' });
  const session = connect(url, { rejectUnauthorized: false });
  onTestFinished(() => session.destroy());
  const stream = session.request({ ':path': '/images/events?after=0' });
  const seen = read(stream.setEncoding('utf8'));
  await eventually(() => seen.text.includes('"event":"serving"'));
  const other = session.request({ ':path': '/v2/' });
  other.resume().end();
  await eventually(() => seen.text.includes('"kind":"ping"'));
  await served[Symbol.asyncDispose]();
  await eventually(() => seen.isOver);
});
