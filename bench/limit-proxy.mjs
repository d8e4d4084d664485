// The physical limit of a cold pull through a proxy: fetches each blob from UPSTREAM, hashes it, writes it, syncs it, and passes it on from memory; nothing else.
// Prints its port. Arguments: UPSTREAM (`127.0.0.1:5000`), a directory for the blobs.
import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import { Agent, createServer, request } from 'node:http';
import { join } from 'node:path';

const [, , upstream = '', directory = ''] = process.argv;
const agent = new Agent({ keepAlive: true });
/** In bytes: what is gathered for a write. */
const GATHER = 1024 * 1024;
let blobs = 0;

const server = createServer((asked, response) => {
  const { method, url, headers } = asked;
  const sent = request(
    `http://${upstream}${url}`,
    { method, agent, headers: { ...headers, host: upstream } },
    (answer) => {
      response.writeHead(answer.statusCode ?? 500, answer.headers);
      const isBlob = method === 'GET' && answer.statusCode === 200 && url?.includes('/blobs/');
      if (isBlob) keep(answer, response).catch(() => response.destroy());
      else answer.pipe(response);
    },
  );
  sent.on('error', () => response.destroy());
  sent.end();
});

async function keep(answer, response) {
  blobs += 1;
  const file = await open(join(directory, `blob-${blobs}`), 'w');
  const hash = createHash('sha256');
  let gathered = [];
  let bytes = 0;
  let writing = Promise.resolve();
  const write = async () => {
    await writing;
    const chunks = gathered;
    [gathered, bytes] = [[], 0];
    writing = file.writev(chunks).then(() => {});
  };
  for await (const chunk of answer) {
    hash.update(chunk);
    gathered.push(chunk);
    bytes += chunk.length;
    if (!response.write(chunk)) await new Promise((resolve) => response.once('drain', resolve));
    if (bytes >= GATHER) await write();
  }
  hash.digest('hex');
  response.end();
  if (bytes > 0) await write();
  await writing;
  await file.datasync();
  await file.close();
}

server.listen(0, '127.0.0.1', () => process.stdout.write(`${server.address().port}\n`));
