// A server for one test, on a free loopback port, with its recorded events.
import type { Registry } from '../../registry/contract.ts';
import { formatListenAddress } from '../address.ts';
import type { ServerEvent } from '../events.ts';
import type { ServerLimits } from '../limits.ts';
import { type ServeOptions, serve } from '../listen.ts';

export interface TestServer extends AsyncDisposable {
  /** `http://127.0.0.1:PORT` */
  readonly url: string;
  /** `127.0.0.1:PORT` */
  readonly host: string;
  readonly events: readonly ServerEvent[];
}

export async function startServer(
  registry: Registry,
  limits: Partial<ServerLimits> = {},
  options: Pick<ServeOptions, 'names' | 'health' | 'grace' | 'access' | 'operators'> = {},
): Promise<TestServer> {
  const events: ServerEvent[] = [];
  const running = await serve({
    registry,
    listen: [{ host: '127.0.0.1', port: 0 }],
    onEvent: (event) => events.push(event),
    grace: 1000,
    limits,
    ...options,
  });
  const host = formatListenAddress(running.addresses[0] ?? { port: 0 });
  return { url: `http://${host}`, host, events, [Symbol.asyncDispose]: () => running[Symbol.asyncDispose]() };
}
