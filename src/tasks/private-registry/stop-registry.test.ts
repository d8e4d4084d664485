import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, it, onTestFinished } from 'vitest';
import { identityOf } from '../../io/concurrency/process-identity.ts';
import { type TemporaryWorld, temporaryWorld } from '../testing/temporary-world.ts';
import { writeRecord } from './registry-record.ts';
import { defaultDataDirectory } from './registry-state.ts';
import { stopRegistry } from './stop-registry.ts';

/** A process that is recorded as the running registry, and ends on SIGTERM. */
async function running(world: TemporaryWorld, traps = ''): Promise<ChildProcess> {
  const child = spawn('sh', ['-c', `${traps}echo ready; exec sleep 300`]);
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
  });
  return child;
}

it('asks the registry to end, waits until it has, and tells which it was', async () => {
  await using world = await temporaryWorld();
  const child = await running(world);
  const ended = once(child, 'exit');
  expect(await stopRegistry(world.settings())).toMatchObject({ pid: child.pid });
  expect(await ended).toEqual([null, 'SIGTERM']);
});

it('stops nothing where none runs, and nothing a second time', async () => {
  await using world = await temporaryWorld();
  expect(await stopRegistry(world.settings())).toBeUndefined();
  await running(world);
  await stopRegistry(world.settings());
  expect(await stopRegistry(world.settings())).toBeUndefined();
});

it('does not wait when it is aborted', async () => {
  await using world = await temporaryWorld();
  await running(world, "trap '' TERM; ");
  const signal = AbortSignal.abort(new Error('enough'));
  await expect(stopRegistry(world.settings({}, { signal }))).rejects.toThrow();
});
