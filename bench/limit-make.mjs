// The physical limit that `images make` is measured against: a bare script that inflates each unique layer, hashes what comes out and writes it, once. No archive is read, no
// tar-split made, nothing verified, no records. Tuned: large chunks, inflating ahead on another thread, one write under way.
// Usage: node limit-make.mjs OUT BLOB…
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { createGunzip } from 'node:zlib';

const CHUNK = 1 << 20;
const [out, ...blobs] = process.argv.slice(2);
const file = await open(out, 'w');
let position = 0;
let writing = Promise.resolve();
for (const blob of blobs) {
  const hash = createHash('sha256');
  const inflated = createGunzip({ chunkSize: CHUNK, readableHighWaterMark: 4 * CHUNK });
  createReadStream(blob, { highWaterMark: CHUNK / 4 }).pipe(inflated);
  for await (const chunk of inflated) {
    hash.update(chunk);
    await writing;
    writing = file.write(chunk, 0, chunk.length, position);
    position += chunk.length;
  }
  hash.digest();
}
await writing;
await file.close();
