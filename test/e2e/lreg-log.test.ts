// The log of a registry that runs in the background, read while it is written; and what happens in it, watched.
import { appendFileSync, existsSync, readFileSync, statSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { until } from '../peers/process.ts';
import { newWorld, type World } from '../peers/program.ts';

/** A command that goes on until it is ended. */
function following(world: World, args: readonly string[]) {
  const child = world.startImages(args);
  onTestFinished(() => void child.kill('SIGKILL'));
  const seen = { stdout: '', stderr: '', status: undefined as number | null | undefined };
  child.stdout?.on('data', (chunk: Buffer) => (seen.stdout += chunk.toString()));
  child.stderr?.on('data', (chunk: Buffer) => (seen.stderr += chunk.toString()));
  child.once('close', (status) => {
    seen.status = status;
  });
  return { child, seen };
}

async function started(world: World, ...args: readonly string[]): Promise<string> {
  return (await world.must(['lreg_start', '--listen=127.0.0.1:0', ...args])).trim();
}

describe('images lreg_log', () => {
  it('shows each request of a registry in the background, follows it, and ends at once', async () => {
    await using world = await newWorld();
    const url = await started(world, '--log=json,access');
    const { child, seen } = following(world, ['lreg_log', '-f', '--json']);
    try {
      await until(async () => seen.stdout.includes('"event":"serving"'));
      const headers = { 'X-Request-ID': 'mine', 'User-Agent': 'probe/1' };
      await (await fetch(`${url}/v2/a/manifests/1?token=geheim`, { headers })).text();
      await until(async () => seen.stdout.includes('"request":"mine"'));
      const line = seen.stdout.split('\n').find((text) => text.includes('"request":"mine"')) ?? '';
      expect(JSON.parse(line)).toMatchObject({
        status: 404,
        userAgent: 'probe/1',
        path: '/v2/a/manifests/1?token=***',
      });
      child.kill('SIGINT');
      await until(async () => seen.status !== undefined);
      expect((await world.must(['lreg_log', '--lines=1'])).trim()).toContain('GET /v2/a/manifests/1?token=*** 404');
    } finally {
      await world.images(['lreg_stop']);
    }
    expect(await world.must(['lreg_log'])).toContain('stopped');
  });

  it('goes on when the log has become too large and begins anew', async () => {
    await using world = await newWorld();
    const url = await started(world, '--log=access');
    const path = join(world.data, 'images/registry.log');
    try {
      const { seen } = following(world, ['lreg_log', '-f', '--lines=1']);
      await until(async () => seen.stdout.includes('serving'));
      // As if it had grown by itself: a hole costs nothing to write.
      truncateSync(path, 17 * 1024 * 1024);
      appendFileSync(path, '\n');
      const ask = async () => await (await fetch(`${url}/v2/${'x'.repeat(200)}/manifests/1`)).text();
      // It looks at its size after some hundred lines.
      await until(async () => {
        await Promise.all(Array.from({ length: 100 }, ask));
        return existsSync(`${path}.1`);
      });
      expect(statSync(path).size).toBeLessThan(1024 * 1024);
      await (await fetch(`${url}/v2/after/manifests/1`)).text();
      await until(async () => seen.stdout.includes('/v2/after/'));
      expect(readFileSync(path, 'utf8')).toContain('/v2/after/');
    } finally {
      await world.images(['lreg_stop']);
    }
  });

  it('says that a log cannot be read again, and that there is none', async () => {
    await using world = await newWorld();
    expect((await world.images(['lreg_log'])).stderr).toContain('ERROR: ');
    const { seen } = following(world, ['serve', '--listen=127.0.0.1:0']);
    await until(async () => seen.stderr.includes('serving'));
    const { status, stderr } = await world.images(['lreg_log']);
    expect([status, stderr]).toEqual([1, expect.stringContaining('goes to a pipe')]);
  });
});

describe('images lreg_watch', () => {
  it('shows who does what, also after the registry was restarted', async () => {
    await using world = await newWorld();
    const url = await started(world);
    const { child, seen } = following(world, ['lreg_watch', '--type=pull,notice', '--since=0']);
    try {
      await until(async () => seen.stdout.includes('serving'));
      await (await fetch(`${url}/v2/a/manifests/1`)).text();
      await until(async () => seen.stdout.includes('nobody@127.0.0.1 pulls a:1: 404 NAME_UNKNOWN'));
      await world.must(['lreg_stop']);
      await until(async () => seen.stderr.includes('waiting for it'));
      await started(world);
      await until(async () => seen.stdout.includes('was restarted'));
      child.kill('SIGINT');
      await until(async () => seen.status !== undefined);
    } finally {
      await world.images(['lreg_stop']);
    }
  });
});
