// From a runtime's plan and the shell commands that prepare the root file system to what the supervisor is sent.
import type { TarHeader } from '../../tar/entry.ts';
import { DEVICE_FILES } from './devices.ts';
import { type MemoryFile, memoryArchive } from './memory-archive.ts';
import type { Launch, Runtime } from './runtimes/contract.ts';
import { supervised } from './supervisor.ts';

export interface Prepared {
  readonly lines: readonly string[];
  readonly files: readonly MemoryFile[];
  readonly headers: readonly TarHeader[];
}

export function launchArchive(runtime: Runtime, launch: Launch, prepared: Prepared): AsyncIterable<Uint8Array> {
  const { files, command, log } = runtime.plan(launch);
  const plan = [...prepared.lines, supervised(command, log)].join('\n');
  const own = [...files].map(([name, content]): MemoryFile => ({ name, content }));
  return memoryArchive(
    [...own, ...prepared.files, { name: 'plan', content: plan }],
    [...DEVICE_FILES, ...prepared.headers],
  );
}
