// The limits are equal to those in docs/registries.md.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { defaultLimits } from './limits.ts';

const docs = readFileSync(join(import.meta.dirname, '../../docs/registries.md'), 'utf8');
const MIB = 1024 * 1024;
const MINUTE = 60_000;

it('limits are those of the table in the documentation', () => {
  const limits = defaultLimits(1_000_000);
  const grouped = (count: number) => count.toLocaleString('en-US');
  const rows = [
    `| requests of one connection | one at a time, in their order; while one waits, nothing more is read | if ${grouped(limits.waitingRequests)} requests of all connections wait,`,
    `| connections | ${limits.connections}, at most half of them for one client;`,
    `| the head of a request | ${limits.head / 1000} s,`,
    `| a transfer, either way | ${limits.idle / MINUTE} minutes without a byte, or less than ${limits.slowBytes / 1024} KiB in ${limits.slow / MINUTE} minutes`,
    `| a manifest | 4 MiB; ${grouped(limits.descriptors)} descriptors`,
    `| tags in one request | ${limits.tags} |`,
    `| manifests that are read or written at once; lists, with what \`lreg_rm\` has removed | ${limits.manifests}; ${limits.lists} |`,
    `| a page of a list | ${grouped(limits.page)} entries`,
    `| manifests and lists that are in memory because clients are slow | ${limits.heldBytes / MIB} MiB, of one client ${limits.heldBytesPerClient / MIB} MiB;`,
    `| unfinished uploads | ${limits.uploads}, of one client ${limits.uploadsPerClient} |`,
  ];
  for (const row of rows) expect(docs).toContain(row);
  expect([limits.uploadAge, limits.uploadAgeInNeed]).toEqual([60 * MINUTE, MINUTE]);
  expect(limits.connectionsPerClient).toBe(limits.connections / 2);
});

it.each([
  [64, 16, 8],
  [320 + 3 * 100, 100, 50],
  [320 + 3 * 101 + 2, 101, 51],
  [1024, 234, 117],
])('with %s files that may be open: %s connections, %s of one client', (files, connections, perClient) => {
  const limits = defaultLimits(files);
  expect([limits.connections, limits.connectionsPerClient]).toEqual([connections, perClient]);
});
