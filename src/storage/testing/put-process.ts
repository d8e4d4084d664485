// A process that puts one blob: `put-process.ts STORE REPOSITORY FILE DIGEST [MS [AT]]`. It prints `open N` when the store requests the bytes from N on, and
// `done`. It waits this many milliseconds after each 64 KiB, so that others come meanwhile; and at the byte AT until it is killed.
import { open } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { parseDigest } from '../../oci/digest.ts';
import { openEmbeddedStore } from '../embedded-store.ts';

const [directory = '', repository = '', file = '', digest = '', wait = '0', stopAt = ''] = process.argv.slice(2);
const handle = await open(file);
const { size } = await handle.stat();
const store = await openEmbeddedStore(directory);

await store.registry.putBlob(
  repository,
  { mediaType: 'application/octet-stream', digest: parseDigest(digest), size },
  async (from) => {
    process.stdout.write(`open ${from}\n`);
    return readSlowly(from);
  },
);
process.stdout.write('done\n');
await handle.close();

async function* readSlowly(from: number): AsyncGenerator<Uint8Array> {
  for (let at = from; at < size; at += 65_536) {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(65_536), 0, 65_536, at);
    yield buffer.subarray(0, bytesRead);
    if (wait !== '0') await delay(Number(wait));
    // A timer keeps the process alive.
    if (stopAt !== '' && at >= Number(stopAt)) await delay(2 ** 31 - 1);
  }
}
