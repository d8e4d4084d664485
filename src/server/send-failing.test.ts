// A source that fails while its client has not read what was sent before.
import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { setImmediate, setTimeout } from 'node:timers/promises';
import { expect, it, onTestFinished } from 'vitest';
import type { FillingBytes } from '../io/streams/bytes.ts';
import { isConnectionLost, sendReply } from './send.ts';

/** Gives bytes as long as the client takes them, then fails as a damaged disk does. */
function failing(response: ServerResponse): FillingBytes {
  const end = async () => ({ done: true as const, value: undefined });
  return {
    fill: async (buffer) => {
      await setTimeout(5);
      if (response.writableLength > 0) throw new Error('EIO: i/o error, read');
      return buffer.length;
    },
    [Symbol.asyncIterator]: () => ({ next: end, return: end }),
  };
}

it('an answer that fails on the way ends the connection, and not the program', async () => {
  const unhandled: unknown[] = [];
  const see = (reason: unknown) => void unhandled.push(reason);
  process.on('unhandledRejection', see);
  onTestFinished(() => void process.off('unhandledRejection', see));
  const failed = Promise.withResolvers<unknown>();
  const server = createServer((_request, response) => {
    const reply = { status: 200, headers: { 'Content-Length': 2 ** 30 }, body: failing(response) };
    const options = {
      head: false,
      limits: { idle: 60_000, slow: 60_000, slowBytes: 1 },
      signal: new AbortController().signal,
      onSent: () => undefined,
    };
    void sendReply(response, reply, options).catch(failed.resolve);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  const client = connect((server.address() as AddressInfo).port, '127.0.0.1');
  client.on('error', () => undefined);
  onTestFinished(() => void client.destroy());
  client.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
  expect(await failed.promise).toMatchObject({ message: 'EIO: i/o error, read' });
  for (let turn = 0; turn < 10; turn++) await setImmediate();
  expect(unhandled).toEqual([]);
});

it('a client that goes while something is on its way to it is no failure', async () => {
  const failed = Promise.withResolvers<unknown>();
  const end = async () => ({ done: true as const, value: undefined });
  const server = createServer((_request, response) => {
    const body: FillingBytes = {
      fill: async (buffer) => {
        if (response.writableLength > 0) response.socket?.destroy();
        return buffer.length;
      },
      [Symbol.asyncIterator]: () => ({ next: end, return: end }),
    };
    const reply = { status: 200, headers: { 'Content-Length': 2 ** 30 }, body };
    const limits = { idle: 60_000, slow: 60_000, slowBytes: 1 };
    const options = { head: false, limits, signal: new AbortController().signal, onSent: () => undefined };
    void sendReply(response, reply, options).catch(failed.resolve);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const client = connect((server.address() as AddressInfo).port, '127.0.0.1');
  client.on('error', () => undefined);
  client.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
  expect(isConnectionLost(await failed.promise)).toBe(true);
  client.destroy();
  server.close();
});

it('what was not sent yet is memory for the next transfer, whether the source failed or ended early', async () => {
  const seen: Uint8Array[] = [];
  const end = async () => ({ done: true as const, value: undefined });
  const failures: unknown[] = [];
  const server = createServer((_request, response) => {
    const body: FillingBytes = {
      fill: async (buffer) => {
        seen.push(buffer);
        if (seen.length === 1) throw new Error('EIO: i/o error, read');
        return 0;
      },
      [Symbol.asyncIterator]: () => ({ next: end, return: end }),
    };
    const reply = { status: 200, headers: { 'Content-Length': 2 ** 30 }, body };
    const limits = { idle: 60_000, slow: 60_000, slowBytes: 1 };
    const options = { head: false, limits, signal: new AbortController().signal, onSent: () => undefined };
    void sendReply(response, reply, options).catch((error: unknown) => failures.push(error));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  for (let nth = 0; nth < 3; nth++) {
    const client = connect((server.address() as AddressInfo).port, '127.0.0.1');
    client.on('error', () => undefined);
    client.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    client.resume();
    await once(client, 'close');
  }
  expect(failures).toHaveLength(3);
  expect(new Set(seen).size).toBe(1);
});
