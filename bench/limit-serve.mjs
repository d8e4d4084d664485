// The limit of transfers: a bare Node server that sends one file from two reused buffers of 1 MB for each connection, and receives into new files what it hashes, writes in
// pieces of 1 MB and syncs. It does nothing else. `node limit-serve.mjs FILE DIRECTORY`; prints its port.
import { createHash, randomUUID } from 'node:crypto';
import { open, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import { join } from 'node:path';

const SIZE = 1024 * 1024;
const [file, directory] = process.argv.slice(2);

async function send(response) {
  await using handle = await open(file);
  const { size } = await handle.stat();
  response.writeHead(200, { 'Content-Length': size, 'Content-Type': 'application/octet-stream' });
  const buffers = [Buffer.allocUnsafeSlow(SIZE), Buffer.allocUnsafeSlow(SIZE)];
  const sent = [undefined, undefined];
  for (let at = 0, turn = 0; at < size; turn = 1 - turn) {
    await sent[turn];
    const { bytesRead } = await handle.read(buffers[turn], 0, SIZE, at);
    at += bytesRead;
    sent[turn] = new Promise((done) => response.write(buffers[turn].subarray(0, bytesRead), done));
  }
  await Promise.all(sent);
  response.end();
}

async function receive(request, response) {
  const path = join(directory, randomUUID());
  {
    await using handle = await open(path, 'wx');
    const hash = createHash('sha256');
    let chunks = [];
    let bytes = 0;
    let writing = Promise.resolve();
    const write = async () => {
      await writing;
      writing = handle.writev(chunks);
      chunks = [];
      bytes = 0;
    };
    for await (const chunk of request) {
      hash.update(chunk);
      chunks.push(chunk);
      bytes += chunk.length;
      if (bytes >= SIZE) await write();
    }
    if (bytes > 0) await write();
    await writing;
    await handle.datasync();
    hash.digest('hex');
  }
  response.writeHead(201, { 'Content-Length': 0 }).end();
  await rm(path);
}

const server = createServer((request, response) => {
  if (request.method === 'GET') void send(response);
  else if (request.method === 'PUT') void receive(request, response);
  else response.writeHead(202, { Location: '/upload', 'Content-Length': 0 }).end();
});
server.listen(0, '127.0.0.1', () => console.log(server.address().port));
