import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { expect, it, onTestFinished } from 'vitest';
import { inheritedAddress } from './inherited-socket.ts';
import { ask } from './testing/ask.ts';

const SERVER = `
const { inheritedAddress } = await import(${JSON.stringify(new URL('./inherited-socket.ts', import.meta.url))});
const { serve } = await import(${JSON.stringify(new URL('./listen.ts', import.meta.url))});
const { emptyRegistry } = await import(${JSON.stringify(new URL('./testing/content.ts', import.meta.url))});
const { addresses } = await serve({ registry: emptyRegistry(), listen: [inheritedAddress(3)] });
console.log(JSON.stringify(addresses));
`;

it('a server takes over a socket that listens already', async () => {
  const before = createServer().listen(0, '127.0.0.1');
  await once(before, 'listening');
  const { port } = before.address() as AddressInfo;
  const { fd } = (before as unknown as { readonly _handle: { readonly fd: number } })._handle;
  const child = spawn(process.execPath, ['--input-type=module', '-e', SERVER], {
    stdio: ['ignore', 'pipe', 'inherit', fd],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  // Nobody here accepts connections any more.
  before.close();
  const [said] = (await once(child.stdout as NonNullable<typeof child.stdout>, 'data')) as [Buffer];
  expect(JSON.parse(said.toString())).toEqual([{ host: '127.0.0.1', port }]);
  expect((await ask(`http://127.0.0.1:${port}/v2/`, 'GET')).status).toBe(200);
});

it('what is no socket is refused', () => {
  const file = openSync('/dev/null', 'r');
  onTestFinished(() => closeSync(file));
  for (const fd of [file, 0x7fff])
    expect(() => inheritedAddress(fd)).toThrow(`descriptor ${fd} is no socket with an address and a port`);
});
