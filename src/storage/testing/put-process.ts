// A process that puts one blob: `put-process.ts STORE REPOSITORY FILE DIGEST [MS]`. It says `open N` when the bytes from N on are asked for, and `done`.
// With MS it waits so long after each 64 KiB, so that it can be killed on the way.
import { open } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { parseDigest } from '../../oci/digest.ts';
import { openEmbeddedStore } from '../embedded-store.ts';

const [directory = '', repository = '', file = '', digest = '', wait = '0'] = process.argv.slice(2);
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
  }
}
