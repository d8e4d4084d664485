import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Readable } from 'node:stream';
import { expect, it, onTestFinished } from 'vitest';
import { identityOf } from '../../io/concurrency/process-identity.ts';
import { type TemporaryWorld, temporaryWorld } from '../testing/temporary-world.ts';
import { writeRecord } from './registry-record.ts';
import { defaultDataDirectory } from './registry-state.ts';
import { stopRegistry } from './stop-registry.ts';

/** A process that is recorded as the running registry, and ends on SIGTERM. */
async function running(world: TemporaryWorld, traps = '', stays = 'exec sleep 300', more = {}): Promise<ChildProcess> {
  const child = spawn('sh', ['-c', `${traps}echo ready; ${stays}`]);
  onTestFinished(() => void child.kill('SIGKILL'));
  await once(child.stdout, 'data');
  const pid = child.pid ?? 0;
  const data = defaultDataDirectory(world.settings());
  writeRecord(`${data}/images/registry.json`, {
    identity: identityOf(pid),
    pid,
    uid: process.getuid?.() ?? 0,
    data,
    addresses: [{ host: '127.0.0.1', port: 5000 }],
    since: new Date().toISOString(),
    version: '1',
    ...more,
  });
  return child;
}

it('stopping asks the registry to end, waits until it has, and says which one it was', async () => {
  await using world = await temporaryWorld();
  const child = await running(world);
  const ended = once(child, 'exit');
  expect(await stopRegistry(world.settings())).toMatchObject({ pid: child.pid });
  expect(await ended).toEqual([null, 'SIGTERM']);
});

it('stopping does nothing if no registry runs, or a second time', async () => {
  await using world = await temporaryWorld();
  expect(await stopRegistry(world.settings())).toBeUndefined();
  await running(world);
  await stopRegistry(world.settings());
  expect(await stopRegistry(world.settings())).toBeUndefined();
});

it('stopping kills a registry that does not end', async () => {
  await using world = await temporaryWorld();
  const child = await running(world, "trap '' TERM; ");
  const ended = once(child, 'exit');
  expect(await stopRegistry(world.settings(), { patience: 50 })).toMatchObject({ pid: child.pid });
  expect(await ended).toEqual([null, 'SIGKILL']);
});

it('stopping lets requests end for as long as it is told to, and then ends them', async () => {
  await using world = await temporaryWorld();
  const child = await running(
    world,
    "trap 'echo quit' QUIT; trap 'echo term; exit 7' TERM; ",
    'while :; do sleep 0.02; done',
    { drain: 0 },
  );
  let said = '';
  child.stdout?.on('data', (text: Buffer) => {
    said += text.toString();
  });
  const ended = once(child, 'exit');
  await stopRegistry(world.settings(), { drainMs: 100 });
  expect(await ended).toEqual([7, null]);
  expect(said).toBe('quit\nterm\n');
});

it('stopping does not ask an earlier version to wait, which that would kill', async () => {
  await using world = await temporaryWorld();
  const child = await running(world);
  await expect(stopRegistry(world.settings(), { drainMs: 100 })).rejects.toMatchObject({ code: 'UNSUPPORTED' });
  expect(child.exitCode).toBeNull();
});

it('stopping waits longer where the registry was told to let requests end', async () => {
  await using world = await temporaryWorld();
  const child = await running(world, "trap 'sleep 0.3; exit 7' TERM; ", 'while :; do sleep 0.02; done', {
    drain: 60_000,
  });
  const ended = once(child, 'exit');
  await stopRegistry(world.settings(), { patience: 0 });
  expect(await ended).toEqual([7, null]);
});

it('stopping does not wait any longer when it is aborted', async () => {
  await using world = await temporaryWorld();
  const child = await running(world, "trap 'echo asked' TERM; ", 'while :; do sleep 0.02; done');
  const abort = new AbortController();
  const stopped = stopRegistry(world.settings({}, { signal: abort.signal }));
  await once(child.stdout as Readable, 'data');
  abort.abort(new Error('enough'));
  await expect(stopped).rejects.toThrow('enough');
  expect(child.exitCode).toBeNull();
});

it('stopping asks no registry to end if it was aborted before', async () => {
  await using world = await temporaryWorld();
  const child = await running(world);
  const signal = AbortSignal.abort(new Error('enough'));
  await expect(stopRegistry(world.settings({}, { signal }))).rejects.toThrow('enough');
  expect(identityOf(child.pid ?? 0)).toBeDefined();
});
