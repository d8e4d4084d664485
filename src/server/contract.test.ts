// The registry contract over HTTP: our client against our server, as it holds for the store behind it.
import { registryContract } from '../../test/contract/registry-contract.ts';
import { registryClients } from '../registry/client/registry-clients.ts';
import { emptyRegistry } from './testing/content.ts';
import { startServer } from './testing/start.ts';

registryContract(
  'the registry over HTTP',
  async () => {
    const server = await startServer(emptyRegistry());
    const clients = registryClients({ privateHosts: [server.url] });
    return {
      registry: clients.forHost(server.host),
      [Symbol.asyncDispose]: async () => {
        await clients[Symbol.asyncDispose]();
        await server[Symbol.asyncDispose]();
      },
    };
  },
  { keepsPartialBlobs: false },
);
