// If a member is added to a contract, the type checker refuses every policy that does not forward it.
import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const TOP = resolve(import.meta.dirname, '../..');

/** By contract: the file and the text after which the new member stands. */
const CONTRACTS = [
  { contract: 'Registry', file: 'src/registry/contract.ts', after: 'export interface Registry extends' },
  { contract: 'ImageSource', file: 'src/transports/contract.ts', after: 'export interface ImageSource extends' },
  { contract: 'ImageSink', file: 'src/transports/contract.ts', after: 'export interface ImageSink extends' },
] as const;

let copy: string;

beforeAll(() => {
  copy = mkdtempSync(join(tmpdir(), 'images-policies-'));
  cpSync(join(TOP, 'src'), join(copy, 'src'), { recursive: true, filter: (file) => !file.endsWith('.test.ts') });
  symlinkSync(join(TOP, 'node_modules'), join(copy, 'node_modules'));
  cpSync(join(TOP, 'tsconfig.json'), join(copy, 'tsconfig.json'));
  cpSync(join(TOP, 'package.json'), join(copy, 'package.json'));
});

afterAll(() => {
  rmSync(copy, { recursive: true, force: true });
});

describe.each(CONTRACTS)('a new member of $contract', ({ contract, file, after }) => {
  it('makes every policy without it fail to compile', () => {
    const path = join(copy, file);
    const text = readFileSync(path, 'utf8');
    const at = text.indexOf('{\n', text.indexOf(after)) + 2;
    try {
      writeFileSync(path, `${text.slice(0, at)}  addedLater?(): void;\n${text.slice(at)}`);
      expect(refusedFiles()).toEqual(policiesOf(contract));
    } finally {
      writeFileSync(path, text);
    }
  });
});

/** The source files that do not compile because the member is missing. */
function refusedFiles(): readonly string[] {
  try {
    execFileSync(join(TOP, 'node_modules/.bin/tsc'), ['--noEmit', '-p', '.'], { cwd: copy, encoding: 'utf8' });
    return [];
  } catch (error) {
    const printed = String((error as { readonly stdout?: string }).stdout);
    const files = printed.matchAll(/^(src\/[\w/.-]+)\(\d+,\d+\): error .*addedLater/gm);
    return [...new Set(Array.from(files, ([, name]) => name as string))].toSorted();
  }
}

function policiesOf(contract: string): readonly string[] {
  const files = readdirSync(join(copy, 'src'), { recursive: true, encoding: 'utf8' });
  const found = files
    .filter((file) => file.endsWith('.ts'))
    .map((file) => `src/${file}`)
    .filter((file) => readFileSync(join(copy, file), 'utf8').includes(`forwarding<${contract}>(`));
  expect(found.length).toBeGreaterThan(0);
  return found.toSorted();
}
