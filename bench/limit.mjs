// The physical limit that lreg_preload is measured against: a bare script that reads, hashes, writes and syncs each unique blob of the
// images once. No resume, no retries, no credentials, no tags, no checks of what is there. Tuned: keep-alive, parallel blobs, large synchronous writes.
// Usage: node limit.mjs HOST:PORT DIRECTORY NAME:TAG…
import { createHash } from 'node:crypto';
import { closeSync, fdatasync, mkdirSync, openSync, writeSync } from 'node:fs';
import { Agent, get } from 'node:http';
import { promisify } from 'node:util';

const PARALLEL = 4;
const [host, directory, ...images] = process.argv.slice(2);
const agent = new Agent({ keepAlive: true, maxSockets: PARALLEL });
const sync = promisify(fdatasync);

mkdirSync(directory, { recursive: true });
const blobs = new Map();
for (const manifest of await Promise.all(images.map(readManifest))) {
  for (const { repository, digest } of manifest) if (!blobs.has(digest)) blobs.set(digest, repository);
}
const queue = [...blobs];
await Promise.all(Array.from({ length: PARALLEL }, work));
agent.destroy();

async function work() {
  for (let next = queue.shift(); next; next = queue.shift()) await keep(...next);
}

async function readManifest(image) {
  const colon = image.lastIndexOf(':');
  const repository = image.slice(0, colon);
  const answer = await request(`/v2/${repository}/manifests/${image.slice(colon + 1)}`);
  const chunks = [];
  for await (const chunk of answer) chunks.push(chunk);
  const bytes = Buffer.concat(chunks);
  const manifest = JSON.parse(bytes.toString());
  return [manifest.config, ...manifest.layers].map(({ digest }) => ({ repository, digest }));
}

async function keep(digest, repository) {
  const answer = await request(`/v2/${repository}/blobs/${digest}`);
  const file = openSync(`${directory}/${digest.slice(7)}`, 'w');
  const hash = createHash('sha256');
  for await (const chunk of answer) {
    hash.update(chunk);
    writeSync(file, chunk);
  }
  if (`sha256:${hash.digest('hex')}` !== digest) throw new Error(`wrong bytes of ${digest}`);
  await sync(file);
  closeSync(file);
}

function request(path) {
  const accept =
    'application/vnd.oci.image.manifest.v1+json, application/vnd.docker.distribution.manifest.v2+json, */*';
  return new Promise((resolve, reject) => {
    const options = { host: host.split(':')[0], port: host.split(':')[1], path, agent, headers: { accept } };
    get(options, (answer) =>
      answer.statusCode === 200 ? resolve(answer) : reject(new Error(`${path}: ${answer.statusCode}`)),
    ).on('error', reject);
  });
}
