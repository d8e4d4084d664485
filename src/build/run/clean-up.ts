// Removes what is no longer needed: leftovers of dead processes and the least recently used unpacked layers; on request all unpacked layers and the caches.
import { readFile, rename, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { CallOptions } from '../../io/streams/bytes.ts';
import { namesIn, type RunnerDirectory } from './runner-directory.ts';
import { type RootUnpacking, removeTrees } from './unpack.ts';

export interface CleanUpOptions extends CallOptions {
  /** The most bytes of unpacked layers to keep, the most recently used first. */
  readonly keepBytes: number;
  readonly caches?: boolean;
}

interface Snapshot {
  readonly name: string;
  readonly bytes: number;
  readonly used: number;
}

/** Returns the bytes of unpacked layers that were removed. */
export async function cleanUp(
  { runnerDirectory, namespaces }: RootUnpacking,
  options: CleanUpOptions,
): Promise<number> {
  const snapshots = [...(await listSnapshots(runnerDirectory))].sort((a, b) => b.used - a.used);
  let kept = 0;
  const old = snapshots.filter(({ bytes }) => {
    kept += bytes;
    return kept > options.keepBytes;
  });
  if (old.length === 0 && !options.caches) {
    await removeTrees(await runnerDirectory.abandoned(), namespaces);
    return 0;
  }
  let freed = 0;
  const trash = await runnerDirectory.claim('stage');
  {
    // Links to snapshots are made under the same lock: one that has no link now gets none before it is moved away.
    await using _ = await runnerDirectory.lock('use', options);
    const used = await runnerDirectory.inUse('snapshots');
    for (const { name, bytes } of old.filter((snapshot) => !used.has(snapshot.name))) {
      await rename(runnerDirectory.path('snapshots', name), join(trash, name));
      freed += bytes;
    }
    const usedCaches = await runnerDirectory.inUse('caches');
    for (const name of options.caches ? await namesIn(runnerDirectory.path('caches')) : []) {
      if (!usedCaches.has(name)) await rename(runnerDirectory.path('caches', name), join(trash, `cache-${name}`));
    }
  }
  await removeTrees([trash, ...(await runnerDirectory.abandoned())], namespaces);
  return freed;
}

async function listSnapshots(runnerDirectory: RunnerDirectory): Promise<readonly Snapshot[]> {
  const found: Snapshot[] = [];
  for (const name of await namesIn(runnerDirectory.path('snapshots'))) {
    const about = join(runnerDirectory.path('snapshots', name), 'about');
    try {
      const [{ mtimeMs }, text] = await Promise.all([stat(about), readFile(about, 'utf8')]);
      const value: unknown = JSON.parse(text);
      const bytes = typeof value === 'object' && value !== null && 'bytes' in value ? Number(value.bytes) : 0;
      found.push({ name, bytes, used: mtimeMs });
    } catch {
      // Removed by another process, or incomplete: sorted as the least recently used.
      found.push({ name, bytes: 0, used: 0 });
    }
  }
  return found;
}
