// Copies an image from any location to any other, and draws how far it is.
//
//   node copy-with-progress.ts docker://quay.io/calico/node:v3.28.0 oci:images:node
import { homedir, tmpdir } from 'node:os';
import { type CopyEvent, copyImage, isImagesError, type Settings } from '@images-oci/images';

const [from = '', to = ''] = process.argv.slice(2);
// The library reads no environment of its own: what it may know of the world is said here.
const settings: Settings = {
  env: process.env,
  home: homedir(),
  uid: process.getuid?.() ?? 0,
  temporaryDirectory: tmpdir(),
};

let total = 0;
const fetched = new Map<string, number>();

function onEvent(event: CopyEvent): void {
  switch (event.type) {
    case 'plan':
      total = event.bytes;
      console.log(`${event.blobs} blobs, ${event.bytes} bytes; ${event.alreadyThere} bytes are there`);
      break;
    case 'progress': {
      fetched.set(event.digest, event.bytes);
      const sum = [...fetched.values()].reduce((before, bytes) => before + bytes, 0);
      if (process.stdout.isTTY) process.stdout.write(`\r${Math.floor((100 * sum) / total)} %`);
      break;
    }
    case 'image-done':
      console.log(`${event.image} is ${event.digest}`);
  }
}

try {
  const { fetched: bytes } = await copyImage({ from, to }, settings, { platforms: 'all', onEvent });
  console.log(`fetched ${bytes} bytes`);
} catch (error) {
  // What a user can mend has a code, a message and a hint; anything else is a bug.
  if (!isImagesError(error)) throw error;
  console.error(`${error.code}: ${error.message}${error.hint ? ` (${error.hint})` : ''}`);
  process.exitCode = 1;
}
