// The limit of looking into an image: its layers inflated, one after the other, and nothing else. Arguments: the blobs.
import { createReadStream } from 'node:fs';
import { createGunzip } from 'node:zlib';

const CHUNK = 1 << 18;

for (const path of process.argv.slice(2)) {
  const bytes = createReadStream(path, { highWaterMark: CHUNK }).pipe(createGunzip({ chunkSize: CHUNK }));
  for await (const _ of bytes);
}
