// Clients whose time stands still but for what the test lets pass. So what is reached first, an answer or a limit, does not depend on the machine's load.
import { tmpdir } from 'node:os';
import { setImmediate } from 'node:timers/promises';
import { vi } from 'vitest';
import type { HttpTimeouts } from '../../../io/http/http.ts';
import type { Registry } from '../../contract.ts';
import { type RegistryClients, registryClients } from '../registry-clients.ts';
import { digest } from './faulty-registry.ts';

/** In milliseconds; timers take no more than 24 days. */
const NEVER = 1_000_000_000;

export interface StoppedTime extends RegistryClients {
  /** Lets time pass, for the limits of clients alone: servers and sockets have their own. */
  pass(milliseconds: number): void;
  /** Lets time pass in steps, each after the machine had a turn, until the work has ended. */
  passUntil<T>(work: Promise<T>): Promise<T>;
}

/** Limits that are not named are never reached. Time goes on where it is disposed of. */
export function clientsInStoppedTime(timeouts: Partial<HttpTimeouts>): StoppedTime {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
  const clients = registryClients({
    temporaryDirectory: tmpdir(),
    timeouts: { connect: NEVER, headers: NEVER, idle: NEVER, text: NEVER, ...timeouts },
    backoff: { attempts: 3, base: 2, longest: 10, sleep: async () => {} },
  });
  const pass = (milliseconds: number) => void vi.advanceTimersByTime(milliseconds);
  return {
    ...clients,
    pass,
    passUntil: async (work) => {
      let hasEnded = false;
      const end = () => {
        hasEnded = true;
      };
      work.then(end, end);
      while (!hasEnded) {
        await setImmediate();
        pass(10);
      }
      return await work;
    },
    [Symbol.asyncDispose]: async () => {
      vi.useRealTimers();
      await clients[Symbol.asyncDispose]();
    },
  };
}

/** Reads a blob; after each chunk time passes, while the next one is waited for. From its second byte, because a small blob that is read whole is held back. */
export async function readBlobWhile(registry: Registry, passes: () => void): Promise<void> {
  const { body } = await registry.getBlob('app', digest, { from: 1 });
  for await (const _ of body) globalThis.setImmediate(passes);
}
