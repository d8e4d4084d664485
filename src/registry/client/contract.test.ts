import { tmpdir } from 'node:os';
import { registryContract } from '../../../test/contract/registry-contract.ts';
import { serve } from '../../server/listen.ts';
import { memoryStore } from '../../storage/drivers/staged-store.ts';
import { storedRegistry } from '../../storage/repositories/stored-registry.ts';
import { registryClients } from './registry-clients.ts';

registryContract(
  'HTTP client over our own server',
  async () => {
    const server = await serve({
      registry: storedRegistry(memoryStore()),
      listen: [{ host: '127.0.0.1', port: 0 }],
      grace: 0,
    });
    const clients = registryClients({ temporaryDirectory: tmpdir() });
    const port = server.addresses[0]?.port;
    return {
      registry: clients.forHost(`127.0.0.1:${port}`),
      async [Symbol.asyncDispose]() {
        await clients[Symbol.asyncDispose]();
        await server[Symbol.asyncDispose]();
      },
    };
  },
  { keepsPartialBlobs: false },
);
