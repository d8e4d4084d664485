// One store that several processes write to, of which one is killed. Each process takes half a second to start.
import { type ChildProcess, spawn } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { type Blob, blobOf, bytesOf, collect, opener } from '../../test/contract/content.ts';
import { openEmbeddedStore } from './embedded-store.ts';
import { stagedIn, testDirectory } from './testing/directories.ts';

const running: ChildProcess[] = [];
afterEach(() => {
  for (const child of running.splice(0)) child.kill('SIGKILL');
});

interface Putting {
  readonly child: ChildProcess;
  readonly output: () => string;
  readonly ended: Promise<number | null>;
}

interface PutOptions {
  /** Milliseconds after each 64 KiB. */
  readonly wait?: number;
  /** The byte at which it waits until it is killed. */
  readonly stopAt?: number;
}

function putInProcess(
  directory: string,
  repository: string,
  file: string,
  blob: Blob,
  { wait = 0, stopAt }: PutOptions = {},
): Putting {
  const script = resolve(import.meta.dirname, 'testing/put-process.ts');
  const values = [script, directory, repository, file, blob.descriptor.digest, `${wait}`, `${stopAt ?? ''}`];
  const child = spawn(process.execPath, values, { stdio: ['ignore', 'pipe', 'inherit'] });
  running.push(child);
  let output = '';
  child.stdout.on('data', (chunk) => {
    output += chunk;
  });
  const ended = new Promise<number | null>((done) => child.once('close', (code) => done(code)));
  return { child, output: () => output, ended };
}

async function until(condition: () => Promise<boolean> | boolean): Promise<void> {
  while (!(await condition())) await delay(10);
}

describe('several processes on one store', () => {
  it('that put one blob at once ask for it once', async () => {
    await using directory = await testDirectory();
    const blob = blobOf(bytesOf('shared', 500_000));
    const file = join(directory.path, 'source');
    await writeFile(file, blob.bytes);
    const other = putInProcess(directory.path, 'a', file, blob, { wait: 5 });
    const { registry } = await openEmbeddedStore(directory.path);
    await until(() => other.output() !== '');
    const asked: number[] = [];
    const puts = ['b', 'c'].map((repository) =>
      registry.putBlob(repository, blob.descriptor, opener(blob.bytes, asked)),
    );
    await Promise.all(puts);
    expect([await other.ended, other.output(), asked]).toEqual([0, 'open 0\ndone\n', []]);
    for (const repository of ['a', 'b', 'c']) {
      expect(await collect((await registry.getBlob(repository, blob.descriptor.digest)).body)).toEqual(blob.bytes);
    }
    expect(await stagedIn(directory.path)).toEqual([]);
  });

  it('go on from the byte that a killed one left, and do not wait for it', async () => {
    await using directory = await testDirectory();
    const blob = blobOf(bytesOf('killed', 8_000_000));
    const file = join(directory.path, 'source');
    await writeFile(file, blob.bytes);
    const store = await openEmbeddedStore(directory.path);
    const killed = putInProcess(directory.path, 'team/app', file, blob, { stopAt: 4_000_000 });
    await until(async () => (await store.registry.partialBytes(blob.descriptor.digest)) > 1_000_000);
    // Another process waits for the owner, and so does this one, twice. When it is killed, one takes over its stage, and the others find the blob.
    const heir = putInProcess(directory.path, 'b', file, blob);
    const here: number[] = [];
    let hasEnded = false;
    const puts = ['c', 'd'].map(async (repository) => {
      const { registry } = await openEmbeddedStore(directory.path);
      await registry.putBlob(repository, blob.descriptor, opener(blob.bytes, here));
      hasEnded = true;
    });
    await delay(100);
    expect([heir.output(), here, hasEnded]).toEqual(['', [], false]);
    killed.child.kill('SIGKILL');
    await killed.ended;
    await Promise.all(puts);
    expect(await heir.ended).toBe(0);
    const asked = [...here, ...[...heir.output().matchAll(/open (\d+)/g)].map((match) => Number(match[1]))];
    expect(asked).toHaveLength(1);
    expect(asked[0]).toBeGreaterThan(1_000_000);
    expect(await collect((await store.registry.getBlob('b', blob.descriptor.digest)).body)).toEqual(blob.bytes);
    expect(await stagedIn(directory.path)).toEqual([]);
  });
});
