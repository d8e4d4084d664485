import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { chown, readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { identityOf, ownIdentity } from '../../io/concurrency/process-identity.ts';
import { type TemporaryWorld, temporaryWorld } from '../testing/temporary-world.ts';
import { isRecorded, type RegistryState, readRecord, removeRecord, writeRecord } from './registry-record.ts';

const OWN = process.getuid?.() ?? 0;

function stateOf(identity: string, fields: Partial<RegistryState> = {}): RegistryState {
  const pid = Number.parseInt(identity, 10);
  const addresses = [{ host: '127.0.0.1', port: 5000 }];
  return { identity, pid, uid: OWN, data: '/data', addresses, since: '2026-01-02T03:04:05Z', version: '1', ...fields };
}

function recordOf(world: TemporaryWorld, state: unknown): string {
  const path = join(world.path, 'registry.json');
  writeRecord(path, state);
  return path;
}

async function running(options: { readonly uid?: number } = {}): Promise<ChildProcess> {
  const child = spawn('sleep', ['60'], options);
  onTestFinished(() => void child.kill('SIGKILL'));
  await once(child, 'spawn');
  return child;
}

describe('the record of a registry', () => {
  it('is read as it was written, while its process runs', async () => {
    await using world = await temporaryWorld();
    const child = await running();
    const state = stateOf(identityOf(child.pid ?? 0) ?? '');
    const path = recordOf(world, state);
    expect(readRecord(path)).toEqual(state);
    child.kill('SIGKILL');
    await once(child, 'exit');
    expect(readRecord(path)).toBeUndefined();
  });

  it.each([
    ['a process that had the pid before', ownIdentity().replace(/\.\d+\./, '.1.')],
    ['the boot before', ownIdentity().replace(/[^.]+$/, randomUUID())],
    ['a machine without /proc', `${process.pid}..`],
    ['nobody', ''],
  ])('of %s does not count', async (_, identity) => {
    await using world = await temporaryWorld();
    expect(readRecord(recordOf(world, stateOf(ownIdentity())))).toBeDefined();
    expect(readRecord(recordOf(world, stateOf(identity, { pid: process.pid })))).toBeUndefined();
  });

  it('that names one process by its pid and another by its identity does not count', async () => {
    await using world = await temporaryWorld();
    const child = await running();
    expect(readRecord(recordOf(world, stateOf(ownIdentity(), { pid: child.pid ?? 0 })))).toBeUndefined();
  });

  it('by which a user claims a process of another user does not count', async () => {
    await using world = await temporaryWorld();
    const pid = OWN === 0 ? ((await running({ uid: 12_345 })).pid ?? 0) : 1;
    const identity = identityOf(pid) ?? '';
    expect(readRecord(recordOf(world, stateOf(identity)))).toBeUndefined();
    const uid = OWN === 0 ? 12_345 : 0;
    const path = recordOf(world, stateOf(identity, { uid }));
    expect(readRecord(path), 'nor one in the name of that user').toBeUndefined();
    if (OWN !== 0) return;
    await chown(path, uid, -1);
    expect(readRecord(path), 'what that user says himself').toMatchObject({ pid, uid });
  });

  it.each<[string, Record<string, unknown>]>([
    ['without an identity', { identity: undefined }],
    ['without a pid', { pid: String(process.pid) }],
    ['without an owner', { uid: undefined }],
    ['without a data directory', { data: 7 }],
    ['without addresses', { addresses: {} }],
    ['without a time', { since: undefined }],
    ['without a version', { version: undefined }],
  ])('that %s does not count', async (_, fields) => {
    await using world = await temporaryWorld();
    expect(readRecord(recordOf(world, { ...stateOf(ownIdentity()), ...fields }))).toBeUndefined();
  });

  it('keeps the addresses that can be understood', async () => {
    await using world = await temporaryWorld();
    const good = { host: '::', port: 80 };
    const addresses = [good, { host: 'x' }, { port: 80 }, 'text', null];
    expect(readRecord(recordOf(world, { ...stateOf(ownIdentity()), addresses }))?.addresses).toEqual([good]);
  });

  it('of more than 64 KiB does not count', async () => {
    await using world = await temporaryWorld();
    const state = stateOf(ownIdentity(), { version: 'x'.repeat(64 * 1024) });
    expect(readRecord(recordOf(world, state))).toBeUndefined();
  });
});

describe('writing a record', () => {
  it('makes the directories, replaces what was there, and leaves nothing else', async () => {
    await using world = await temporaryWorld();
    const path = join(world.path, 'a/b/registry.json');
    writeRecord(path, { first: true });
    writeRecord(path, { second: true });
    expect(await readFile(path, 'utf8')).toBe('{"second":true}\n');
    expect(await readdir(join(world.path, 'a/b'))).toEqual(['registry.json']);
    expect((await stat(path)).mode & 0o777).toBe(0o644);
  });

  it('that fails leaves nothing behind, and names the file', async () => {
    await using world = await temporaryWorld();
    await world.file('a/registry.json/full', '');
    expect(() => writeRecord(join(world.path, 'a/registry.json'), {})).toThrow();
    expect(await readdir(join(world.path, 'a'))).toEqual(['registry.json']);
    expect(() => writeRecord('/proc/self/fdinfo/x/registry.json', {})).toThrow();
  });
});

describe('the registry itself', () => {
  it('knows its own record from that of another', async () => {
    await using world = await temporaryWorld();
    const path = recordOf(world, stateOf(ownIdentity()));
    expect(await isRecorded(path, ownIdentity())).toBe(true);
    expect(await isRecorded(path, identityOf(process.ppid) ?? '')).toBe(false);
    for (const gone of [`${path}x`, `${path}/x`, await world.file('garbage.json', '{')]) {
      expect(await isRecorded(gone, ownIdentity()), gone).toBe(false);
    }
  });

  it('learns that its record cannot be read, rather than that it is gone', async () => {
    await using world = await temporaryWorld();
    await expect(isRecorded(world.path, ownIdentity())).rejects.toThrow('EISDIR');
  });

  it('removes its own record, and no other', async () => {
    await using world = await temporaryWorld();
    const path = recordOf(world, stateOf(ownIdentity()));
    removeRecord(path, identityOf(process.ppid) ?? '');
    expect(await isRecorded(path, ownIdentity())).toBe(true);
    removeRecord(path, ownIdentity());
    expect(await readdir(world.path)).toEqual([]);
    removeRecord(path, ownIdentity());
  });
});
