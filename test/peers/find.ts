// Which peers (other programs) this machine has. A test without its peer is skipped, and its title says why.
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

export interface Needs {
  /** For `it.skipIf`. */
  readonly missing: boolean;
  /** For the test's title: empty, or ` (skipped: no docker-registry here)`. */
  readonly why: string;
}

const SBIN = ['/usr/sbin', '/sbin'];

/** Programs by name; `root` stands for running as root. */
export function needs(...peers: readonly string[]): Needs {
  const lacking = peers.filter((peer) => !(peer === 'root' ? process.getuid?.() === 0 : findProgram(peer)));
  return because(lacking.map((peer) => (peer === 'root' ? 'not root' : `no ${peer} here`)));
}

/** Combines needs with other reasons to skip. A reason is empty if its condition is met. */
export function because(reasons: readonly (string | undefined)[]): Needs {
  const real = reasons.filter((reason) => reason !== undefined && reason !== '');
  return { missing: real.length > 0, why: real.length > 0 ? ` (skipped: ${real.join(', ')})` : '' };
}

export function findProgram(name: string): string | undefined {
  const directories = [...(process.env.PATH ?? '').split(delimiter), ...SBIN];
  return directories.map((directory) => join(directory, name)).find(isExecutable);
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
