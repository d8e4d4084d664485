// A socket in front of the user's ssh agent: the agent answers only its own user, and in the container another one may ask.
import { createConnection, createServer } from 'node:net';

/** Listens at `path` until disposed. */
export async function proxyAgent(path: string, agent: string): Promise<AsyncDisposable> {
  const server = createServer((client) => {
    const upstream = createConnection(agent);
    client.pipe(upstream).pipe(client);
    client.on('error', () => upstream.destroy());
    upstream.on('error', () => client.destroy());
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(path, resolve);
  });
  server.unref();
  return { [Symbol.asyncDispose]: () => new Promise<void>((resolve) => void server.close(() => resolve())) };
}
