import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { expect, it } from 'vitest';
import { eventually } from '../../../test/testing/eventually.ts';
import { digestOf } from '../../oci/digest.ts';
import { registryClients } from './registry-clients.ts';

it('clients that are retired keep no idle connection, and end what is under way', async () => {
  const content = Buffer.from('a layer');
  const open = new Set<Socket>();
  const goOn = Promise.withResolvers<void>();
  const server = createServer(async (request, response) => {
    response.setHeader('content-length', content.length);
    if (request.method === 'HEAD') {
      response.end();
      return;
    }
    response.write(content.subarray(0, 1));
    await goOn.promise;
    response.end(content.subarray(1));
  });
  server.on('connection', (socket) => {
    open.add(socket);
    socket.on('close', () => open.delete(socket));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const clients = registryClients({ temporaryDirectory: tmpdir() });
  try {
    const registry = clients.forHost(`127.0.0.1:${(server.address() as AddressInfo).port}`);
    const digest = digestOf(content);
    const { body } = await registry.getBlob('app', digest);
    await registry.statBlob('app', digest);
    expect(open.size).toBe(2);
    clients.retire();
    await eventually(() => open.size === 1);
    goOn.resolve();
    expect(Buffer.concat(await Array.fromAsync(body))).toEqual(content);
    await eventually(() => open.size === 0);
    expect((await registry.statBlob('app', digest))?.size).toBe(content.length);
    await eventually(() => open.size === 0);
  } finally {
    goOn.resolve();
    await clients[Symbol.asyncDispose]();
    server.close();
  }
});
