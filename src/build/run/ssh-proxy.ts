// A socket in front of the user's ssh agent: the agent answers only its own user, and in the container another one may ask.
import { open } from 'node:fs/promises';
import { createConnection, createServer } from 'node:net';

/** Listens at `name` in the directory until disposed. */
export async function proxyAgent(directory: string, name: string, agent: string): Promise<AsyncDisposable> {
  const server = createServer((client) => {
    const upstream = createConnection(agent);
    client.pipe(upstream).pipe(client);
    client.on('error', () => upstream.destroy());
    upstream.on('error', () => client.destroy());
  });
  // The path of a socket has room for 107 bytes: through a descriptor any directory is near.
  const place = await open(directory);
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(`/proc/self/fd/${place.fd}/${name}`, resolve);
    });
  } catch (error) {
    await place.close();
    throw error;
  }
  return {
    async [Symbol.asyncDispose]() {
      await new Promise<void>((resolve) => void server.close(() => resolve()));
      await place.close();
    },
  };
}
