// Compression formats that Node cannot write, for tests: made by programs of the machine.
import { spawnSync } from 'node:child_process';

export function bzip2Of(bytes: Uint8Array): Uint8Array {
  return through('bzip2', bytes);
}

export function xzOf(bytes: Uint8Array): Uint8Array {
  return through('xz', bytes);
}

function through(program: string, input: Uint8Array): Uint8Array {
  const { status, stdout, error } = spawnSync(program, ['-c'], { input, maxBuffer: 1 << 28 });
  if (status !== 0) throw error ?? new Error(`${program} failed`);
  return stdout;
}
