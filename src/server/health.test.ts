// The answers of `/healthz`, and how often it checks the store.
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { ImagesError } from '../oci/errors.ts';
import { createHealth, type HealthChecks } from './health.ts';
import type { Reply } from './reply.ts';
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
  const reply = await createHealth(checks, { maxAge: 0, timeout, onTrouble: () => void errors++ }).ready();
  return { status: reply.status, text: textOf(reply), errors };
}

/** Without the time. */
function textOf(reply: Reply): string {
  return Buffer.from(reply.body as Uint8Array)
    .toString()
    .replaceAll(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ/g, 'T');
}

describe('health', () => {
  it('is ok where pulls and pushes work', async () => {
    expect(await said({ canRead: nothing, canWrite: nothing })).toEqual({ status: 200, text: 'ok\n', errors: 0 });
  });

  it('says which of them fails, without naming a path', async () => {
    const full = await said({ canRead: nothing, canWrite: noSpace });
    expect(full).toEqual({ status: 503, text: "pushes: no space left on the registry's disk (since T)\n", errors: 1 });
    const lost = await said({ canRead: gone, canWrite: noSpace });
    expect(lost).toEqual({ status: 503, text: 'pulls: the registry cannot use its own store (since T)\n', errors: 1 });
  });

  it('of a disk that does not answer is bad within the time limit, and the disk is asked nothing more', async () => {
    let writes = 0;
    const canWrite = async () => void writes++;
    const hung = await said({ canRead: () => new Promise(() => undefined), canWrite }, 50);
    expect(hung).toMatchObject({ status: 503, text: 'pulls: no answer within 0.05 s (since T)\n' });
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
    const { ready: health } = createHealth(
      { canRead: nothing, canWrite },
      { maxAge: 3000, onTrouble: () => undefined },
    );
    await Promise.all(Array.from({ length: 100 }, () => health()));
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
    const { ready: health } = createHealth(
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

  it('keeps traffic away for more than the disk, and says since when', async () => {
    let isFull = true;
    const quota = async () => {
      if (isFull) throw new ImagesError('NO_SPACE', 'the limit is reached', { isPublic: true });
    };
    const clock = async () => {
      throw new Error('the secret of /etc/shadow');
    };
    vi.useFakeTimers({ toFake: ['Date'], now: Date.UTC(2026, 5, 1) });
    onTestFinished(() => void vi.useRealTimers());
    const checks: HealthChecks = { canRead: nothing, canWrite: nothing, more: { quota, clock } };
    const health = createHealth(checks, { maxAge: 0, onTrouble: () => undefined });
    const text = async (reply: Promise<Reply>) => Buffer.from((await reply).body as Uint8Array).toString();
    const lines =
      'quota: the limit is reached (since 2026-06-01T00:00:00Z)\nclock: unknown error (since 2026-06-01T00:00:00Z)\n';
    expect(await text(health.ready())).toBe(lines);
    vi.setSystemTime(Date.UTC(2026, 5, 2));
    await delay(5);
    expect(await text(health.ready())).toBe(lines);
    isFull = false;
    await delay(5);
    expect(JSON.parse(await text(health.ready({ json: true })))).toEqual({
      status: 'failing',
      checks: [
        { name: 'pulls', ok: true, since: '2026-06-01T00:00:00Z' },
        { name: 'pushes', ok: true, since: '2026-06-01T00:00:00Z' },
        { name: 'quota', ok: true, since: '2026-06-02T00:00:00Z' },
        { name: 'clock', ok: false, problem: 'unknown error', since: '2026-06-01T00:00:00Z' },
      ],
    });
  });

  it('of a process that lives and reads its store is good, and tells what else is wrong without waiting for it', async () => {
    const never = () => new Promise<never>(() => undefined);
    const waiting = createHealth({ canRead: nothing, canWrite: never }, { onTrouble: () => undefined });
    expect(textOf(await waiting.alive())).toBe('ok\n');
    const health = createHealth({ canRead: nothing, canWrite: noSpace }, { maxAge: 0, onTrouble: () => undefined });
    await health.ready();
    const reply = await health.alive();
    expect(reply.status).toBe(200);
    expect(textOf(reply)).toBe("pulls work\npushes: no space left on the registry's disk (since T)\n");
    expect(
      await createHealth({ canRead: gone, canWrite: nothing }, { onTrouble: () => undefined }).alive(),
    ).toMatchObject({
      status: 503,
    });
  });

  it('of a server that is being stopped is good, and keeps traffic away', async () => {
    const health = createHealth(undefined, { onTrouble: () => undefined, isStopping: () => true });
    expect((await health.alive()).status).toBe(200);
    expect(textOf(await health.ready())).toBe('stopping: the registry is being stopped (since T)\n');
  });

  it('is asked for at /healthz and /readyz, by GET and HEAD, in text and JSON', async () => {
    const server = await startServer(emptyRegistry(), {}, { health: { canRead: nothing, canWrite: noSpace } });
    onTestFinished(() => server[Symbol.asyncDispose]());
    const answer = await ask(`${server.url}/readyz`, 'GET');
    expect(answer.status).toBe(503);
    expect(answer.text).toMatch(/^pushes: no space left/);
    expect((await ask(`${server.url}/readyz`, 'HEAD')).status).toBe(503);
    expect((await ask(`${server.url}/readyz`, 'POST')).status).toBe(405);
    expect((await ask(`${server.url}/healthz`, 'HEAD')).status).toBe(200);
    expect(JSON.parse((await ask(`${server.url}/healthz?format=json`, 'GET')).text)).toMatchObject({ status: 'ok' });
    const asked = await ask(`${server.url}/readyz`, 'GET', { headers: { Accept: 'application/json' } });
    expect(JSON.parse(asked.text)).toMatchObject({ status: 'failing' });
    expect(server.events.filter(({ type }) => type === 'failure')).toHaveLength(1);
  });
});
