// What Node keeps of a stream that failed with its connection.
import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { connect, createServer, type ServerHttp2Session } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { setTimeout } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, it, onTestFinished } from 'vitest';
import { limitSilence } from './either-http.ts';

setFlagsFromString('--expose-gc');
const collectGarbage: () => void = runInNewContext('gc');

it('a stream whose connection fails is forgotten at once, with all that was to be written to it', async () => {
  const begun = Promise.withResolvers<void>();
  const streams: WeakRef<object>[] = [];
  const server = createServer((_request, response) => {
    response.stream.on('error', () => {});
    limitSilence(response as unknown as ServerResponse, 60_000);
    response.write(Buffer.alloc(1024 * 1024));
    streams.push(new WeakRef(response.stream));
    if (streams.length === 5) begun.resolve();
  });
  server.on('sessionError', () => {});
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  const session = connect(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, {
    settings: { initialWindowSize: 1024 },
  });
  session.on('error', () => {});
  const accepted = once(server, 'session');
  for (let nth = 0; nth < 5; nth++) session.request({ ':path': '/' }).on('error', () => {});
  await begun.promise;
  // As Node ends a session on a client's mistake.
  const [atServer]: readonly ServerHttp2Session[] = await accepted;
  atServer?.destroy(new Error('a frame that is none'));
  const kept = () => streams.filter((one) => one.deref() !== undefined).length;
  for (let turn = 0; turn < 200 && kept() > 1; turn++) {
    await setTimeout(10);
    collectGarbage();
  }
  // The engine may hold the one that it had last.
  expect(kept()).toBeLessThanOrEqual(1);
});
