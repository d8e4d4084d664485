// The answers of `/healthz`, and how often it checks the store.
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { ImagesError } from '../oci/errors.ts';
import { type HealthChecks, healthReply } from './health.ts';
import { ask } from './testing/ask.ts';
import { emptyRegistry } from './testing/content.ts';
import { startServer } from './testing/start.ts';

const nothing = async () => undefined;
const noSpace = async () => {
  throw new ImagesError('NO_SPACE', 'no space left [/var/lib/secret]');
};
const gone = async () => {
  throw new ImagesError('NO_ACCESS', 'the store is not there any more [/var/lib/secret]');
};

/** The reply of a health check without caching. */
async function said(checks: HealthChecks, timeout = 1000): Promise<{ status: number; text: string; errors: number }> {
  let errors = 0;
  const reply = await healthReply(checks, { maxAge: 0, timeout, onTrouble: () => void errors++ })();
  return { status: reply.status, text: Buffer.from(reply.body as Uint8Array).toString(), errors };
}

describe('health', () => {
  it('is ok where pulls and pushes work', async () => {
    expect(await said({ canRead: nothing, canWrite: nothing })).toEqual({ status: 200, text: 'ok\n', errors: 0 });
  });

  it('says which of them fails, without naming a path', async () => {
    const full = await said({ canRead: nothing, canWrite: noSpace });
    expect(full).toEqual({ status: 503, text: "pushes: no space left on the registry's disk\n", errors: 1 });
    const lost = await said({ canRead: gone, canWrite: noSpace });
    expect(lost).toEqual({ status: 503, text: 'pulls: the registry cannot use its own store\n', errors: 1 });
  });

  it('of a disk that does not answer is bad within the time limit, and the disk is asked nothing more', async () => {
    let writes = 0;
    const canWrite = async () => void writes++;
    expect(await said({ canRead: () => new Promise(() => undefined), canWrite }, 50)).toMatchObject({ status: 503 });
    expect(writes).toBe(0);
  });

  it('is checked once for all who ask at the same time, and anew after that', async () => {
    let looks = 0;
    let isFull = false;
    const canWrite = async () => {
      looks++;
      if (isFull) await noSpace();
    };
    vi.useFakeTimers({ toFake: ['setTimeout'] });
    onTestFinished(() => void vi.useRealTimers());
    const health = healthReply({ canRead: nothing, canWrite }, { maxAge: 3000, onTrouble: () => undefined });
    await Promise.all(Array.from({ length: 100 }, health));
    vi.advanceTimersByTime(2999);
    await health();
    expect(looks).toBe(1);
    isFull = true;
    vi.advanceTimersByTime(1);
    expect((await health()).status).toBe(503);
    isFull = false;
    vi.advanceTimersByTime(3000);
    expect((await health()).status).toBe(200);
    expect(looks).toBe(3);
  });

  it('that is bad is reported to the operator once, until it changes', async () => {
    const errors: unknown[] = [];
    let check = noSpace;
    const health = healthReply(
      { canRead: nothing, canWrite: () => check() },
      { maxAge: 0, onTrouble: (error) => void errors.push(error) },
    );
    const look = async () => {
      await health();
      await delay(5);
    };
    for (let count = 0; count < 3; count++) await look();
    expect(errors).toHaveLength(1);
    check = nothing as typeof noSpace;
    await look();
    check = noSpace;
    await look();
    expect(errors).toHaveLength(2);
  });

  it('is asked for at /healthz, by GET and HEAD', async () => {
    const server = await startServer(emptyRegistry(), {}, { health: { canRead: nothing, canWrite: noSpace } });
    onTestFinished(() => server[Symbol.asyncDispose]());
    const answer = await ask(`${server.url}/healthz`, 'GET');
    expect(answer.status).toBe(503);
    expect(answer.text).toMatch(/^pushes: no space left/);
    expect((await ask(`${server.url}/healthz`, 'HEAD')).status).toBe(503);
    expect(server.events.filter(({ type }) => type === 'failure')).toHaveLength(1);
  });
});
