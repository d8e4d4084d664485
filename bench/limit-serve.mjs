// The limit of transfers: a bare Node server that sends one file from two reused buffers of 1 MB for each connection, and does nothing else.
// `node limit-serve.mjs FILE`; prints its port.
import { open } from 'node:fs/promises';
import { createServer } from 'node:http';

const SIZE = 1024 * 1024;
const [file] = process.argv.slice(2);

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

const server = createServer((_request, response) => void send(response));
server.listen(0, '127.0.0.1', () => console.log(server.address().port));
