// Combines a runtime's plan and the shell commands that prepare the root file system to the archive that the supervisor gets.
import type { TarHeader } from '../../tar/entry.ts';
import { DEVICE_FILES } from './devices.ts';
import { type MemoryFile, memoryArchive } from './memory-archive.ts';
import type { PrivateNetwork } from './private-network.ts';
import type { Launch, Runtime } from './runtimes/contract.ts';
import { supervised } from './supervisor.ts';

export interface Prepared {
  readonly lines: readonly string[];
  readonly files: readonly MemoryFile[];
  readonly headers: readonly TarHeader[];
  /** Absent for the machine's network and for none. */
  readonly network?: PrivateNetwork | undefined;
}

export function launchArchive(runtime: Runtime, launch: Launch, prepared: Prepared): AsyncIterable<Uint8Array> {
  const { files, command, log } = runtime.plan(launch);
  const { network } = prepared;
  const inside = network?.inside(command);
  const lines = [...(network?.lines ?? []), ...prepared.lines, supervised(inside?.command ?? command, log)];
  const own = [...files].map(([name, content]): MemoryFile => ({ name, content }));
  return memoryArchive(
    [...own, ...(inside ? [inside.file] : []), ...prepared.files, { name: 'plan', content: lines.join('\n') }],
    [...DEVICE_FILES, ...(network?.headers ?? []), ...prepared.headers],
  );
}
