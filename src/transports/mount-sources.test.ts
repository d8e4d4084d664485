import { execFileSync } from 'node:child_process';
import { readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { temporaryDirectory } from '../../test/peers/temporary.ts';
import { type Digest, digestOf } from '../oci/digest.ts';
import { mountSources } from './mount-sources.ts';

const HOST = 'registry.example:5000';
const digest = (text: string): Digest => digestOf(Buffer.from(text));
const BLOB = digest('blob');

/** The memory as a run of the program sees it. */
const run = (directory: string, host = HOST) => mountSources({ directory, host });

/** Rewrites the file that remembers a blob. */
async function rewrite(directory: string, change: (value: Record<string, unknown>) => unknown): Promise<void> {
  const [name = ''] = await readdir(directory);
  const path = join(directory, name);
  await writeFile(path, JSON.stringify(change(JSON.parse(await readFile(path, 'utf8')))));
}

it('the memory of mount sources gives the latest two repositories of a blob in a later run', async () => {
  await using scratch = await temporaryDirectory('transports');
  expect(await run(scratch.path).of(BLOB)).toEqual([]);
  for (const repository of ['first', 'team/second', 'third']) await run(scratch.path).remember(BLOB, repository);
  expect(await run(scratch.path).of(BLOB)).toEqual(['third', 'team/second']);
  await run(scratch.path).remember(BLOB, 'team/second');
  expect(await run(scratch.path).of(BLOB)).toEqual(['team/second', 'third']);
});

it('the memory of mount sources is not written if nothing changed', async () => {
  await using scratch = await temporaryDirectory('transports');
  await run(scratch.path).remember(BLOB, 'first');
  const path = join(scratch.path, (await readdir(scratch.path))[0] ?? '');
  await utimes(path, 1000, 1000);
  await run(scratch.path).remember(BLOB, 'first');
  await run(scratch.path).forget(BLOB, 'other');
  expect((await stat(path)).mtimeMs).toBe(1_000_000);
});

it('the memory of mount sources can forget one repository, and keep the other', async () => {
  await using scratch = await temporaryDirectory('transports');
  for (const repository of ['first', 'second']) await run(scratch.path).remember(BLOB, repository);
  await run(scratch.path).forget(BLOB, 'second');
  expect(await run(scratch.path).of(BLOB)).toEqual(['first']);
  await run(scratch.path).forget(BLOB, 'first');
  expect(await run(scratch.path).of(BLOB)).toEqual([]);
});

it('the memory of mount sources keeps registries and blobs apart, also of different algorithms', async () => {
  await using scratch = await temporaryDirectory('transports');
  await run(scratch.path).remember(BLOB, 'here');
  await run(scratch.path, 'other.example').remember(BLOB, 'there');
  await run(scratch.path).remember(digestOf(Buffer.from('blob'), 'sha512'), 'long');
  expect(await run(scratch.path).of(BLOB)).toEqual(['here']);
  expect(await run(scratch.path, 'other.example').of(BLOB)).toEqual(['there']);
  expect(await run(scratch.path).of(digestOf(Buffer.from('blob'), 'sha512'))).toEqual(['long']);
  expect(await run(scratch.path).of(digest('another'))).toEqual([]);
});

it.each([
  ['of another registry', (value: object) => ({ ...value, host: 'other.example' })],
  ['of another blob', (value: object) => ({ ...value, digest: digest('another') })],
  ['without a registry', (value: object) => ({ ...value, host: undefined })],
  ['of an earlier version', () => ['first']],
  ['without a list', (value: object) => ({ ...value, repositories: 'first' })],
])('the memory of mount sources ignores a file that is %s, and writes it anew', async (_, change) => {
  await using scratch = await temporaryDirectory('transports');
  await run(scratch.path).remember(BLOB, 'first');
  await rewrite(scratch.path, change);
  expect(await run(scratch.path).of(BLOB)).toEqual([]);
  await run(scratch.path).remember(BLOB, 'second');
  expect(await run(scratch.path).of(BLOB)).toEqual(['second']);
});

it('the memory of mount sources reads at most two valid repositories from a file', async () => {
  await using scratch = await temporaryDirectory('transports');
  await run(scratch.path).remember(BLOB, 'first');
  const repositories = ['../../v2', 7, null, 'Upper', 'a?from=b', 'good', ['x'], 'also/good', 'third'];
  await rewrite(scratch.path, (value) => ({ ...value, repositories }));
  expect(await run(scratch.path).of(BLOB)).toEqual(['good', 'also/good']);
});

it('the memory of mount sources ignores a file that is broken or a pipe', async () => {
  await using scratch = await temporaryDirectory('transports');
  await run(scratch.path).remember(BLOB, 'first');
  const path = join(scratch.path, (await readdir(scratch.path))[0] ?? '');
  await writeFile(path, '{"host":');
  expect(await run(scratch.path).of(BLOB)).toEqual([]);
  await rm(path);
  execFileSync('mkfifo', [path]);
  expect(await run(scratch.path).of(BLOB)).toEqual([]);
});

it('the memory of mount sources names the repository of the source first, and once', async () => {
  await using scratch = await temporaryDirectory('transports');
  for (const repository of ['source', 'other']) await run(scratch.path).remember(BLOB, repository);
  expect(await mountSources({ directory: scratch.path, host: HOST, besides: 'source' }).of(BLOB)).toEqual([
    'source',
    'other',
  ]);
  const nowhere = mountSources({ host: HOST, besides: 'source' });
  await nowhere.remember(BLOB, 'other');
  await nowhere.forget(BLOB, 'source');
  expect(await nowhere.of(BLOB)).toEqual(['source']);
});
