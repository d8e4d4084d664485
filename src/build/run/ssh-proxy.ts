// A proxy for the socket of the user's ssh agent: the agent answers only to its own user, and processes in the container may have another one.
import { open } from 'node:fs/promises';
import { createConnection, createServer } from 'node:net';

/** Listens on the socket `name` in the directory until disposed. */
export async function proxyAgent(directory: string, name: string, agent: string): Promise<AsyncDisposable> {
  const server = createServer((client) => {
    const upstream = createConnection(agent);
    client.pipe(upstream).pipe(client);
    client.on('error', () => upstream.destroy());
    upstream.on('error', () => client.destroy());
  });
  // The path of a socket is limited to 107 bytes. Through a file descriptor, that of any directory is short.
  const handle = await open(directory);
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(`/proc/self/fd/${handle.fd}/${name}`, resolve);
    });
  } catch (error) {
    await handle.close();
    throw error;
  }
  return {
    async [Symbol.asyncDispose]() {
      await new Promise<void>((resolve) => void server.close(() => resolve()));
      await handle.close();
    },
  };
}
