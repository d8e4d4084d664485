// Test helpers: scan files that are written for the test.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { ScanResult } from '../contract.ts';
import { findInText } from '../find-in-text.ts';
import { imagesOf } from '../images.ts';
import { SCAN_RULES } from '../rules.ts';
import { type ScanOptions, scan } from '../scan.ts';

/** Scans a temporary directory with these files, and removes it. */
export async function scanFiles(
  files: Readonly<Record<string, string | Uint8Array>>,
  options: ScanOptions = {},
): Promise<ScanResult> {
  const directory = mkdtempSync(join(tmpdir(), 'images-scan-'));
  try {
    for (const [file, content] of Object.entries(files)) {
      mkdirSync(dirname(join(directory, file)), { recursive: true });
      writeFileSync(join(directory, file), content);
    }
    return await scan(directory, options);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** Runs the document rules on one text. */
export function scanText(text: string): ScanResult {
  return findInText('test.yaml', text, { rules: SCAN_RULES.documents });
}

export function usedIn(text: string): readonly string[] {
  return imagesOf(scanText(text));
}

export function maybeIn(text: string): readonly string[] {
  return imagesOf(scanText(text), { maybe: true });
}

/** `image, file:line, path` of each image in use. */
export function whyIn(text: string): readonly string[] {
  return scanText(text)
    .findings.filter(({ certainty }) => certainty === 'used')
    .map(({ image, position }) => `${image} ${position.line} ${position.path}`);
}

/** A Deployment whose only container has these lines. */
export function deployment(...lines: readonly string[]): string {
  const indented = lines.flatMap((line) => line.split('\n')).map((line) => `          ${line}`);
  return `apiVersion: apps/v1
kind: Deployment
metadata:
  name: test
spec:
  template:
    spec:
      containers:
        - name: main
${indented.join('\n')}
`;
}
