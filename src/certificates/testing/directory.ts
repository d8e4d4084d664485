// A directory for one test, removed after it.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';

export function newDirectory(): string {
  const path = mkdtempSync(join(tmpdir(), 'images-certificates-'));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  return path;
}
