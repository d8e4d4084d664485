// Temporary directories and free ports.
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { quickTmpdir } from '../testing/quick-directory.ts';

export interface TemporaryDirectory extends AsyncDisposable {
  readonly path: string;
}

export const temporaryDirectory = (name: string): Promise<TemporaryDirectory> => directoryIn(tmpdir(), name);

/** In memory where there is room: for what is synced and need not be on a disk. */
export const quickDirectory = (name: string): Promise<TemporaryDirectory> => directoryIn(quickTmpdir, name);

async function directoryIn(parent: string, name: string): Promise<TemporaryDirectory> {
  const path = await mkdtemp(join(parent, `images-${name}-`));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}

/** A loopback port at which nothing listens. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const address = server.address();
  await new Promise((done) => server.close(done));
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}
