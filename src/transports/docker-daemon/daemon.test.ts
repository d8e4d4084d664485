import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { tar } from '../../../test/fixtures/tar.ts';
import { temporaryDirectory } from '../../../test/peers/temporary.ts';
import type { OnHttpEvent } from '../../io/http/http-event.ts';
import type { Bytes } from '../../io/streams/bytes.ts';
import { type DockerDaemon, dockerDaemon, dockerDaemonIfUsable } from './daemon.ts';
import { openDaemonImage } from './daemon-source.ts';
import type { DaemonSettings } from './endpoint.ts';
import { loadStream } from './load-stream.ts';
import { type Answer, fakeEngine, hangingSocket } from './testing/fake-engine.ts';

async function* once(bytes: Uint8Array): Bytes & AsyncGenerator<Uint8Array> {
  yield bytes;
}

async function* zeros(size: number): Bytes & AsyncGenerator<Uint8Array> {
  for (let left = size; left > 0; left -= 65_536) yield new Uint8Array(Math.min(left, 65_536));
}

async function opened(DOCKER_HOST: string, options: Pick<DaemonSettings, 'pingWithin'> = {}): Promise<DockerDaemon> {
  const daemon = await dockerDaemon({ env: { DOCKER_HOST }, home: '/nowhere', ...options });
  if (!daemon) throw new Error('no daemon');
  return daemon;
}

async function withEngine<T>(answer: Answer, work: (daemon: DockerDaemon) => Promise<T>): Promise<T> {
  await using directory = await temporaryDirectory('engine');
  await using engine = await fakeEngine(join(directory.path, 'docker.sock'), answer);
  using daemon = await opened(engine.host);
  return await work(daemon);
}

it('requests to a Docker daemon are reported as events', async () => {
  await using directory = await temporaryDirectory('engine');
  await using engine = await fakeEngine(join(directory.path, 'docker.sock'), (_path, _request, response) =>
    response.end('[]'),
  );
  const told: string[] = [];
  const onHttp: OnHttpEvent = ({ method, url, status, received }) =>
    told.push(`${method} ${url} ${status} ${received}`);
  using daemon = await dockerDaemon({ env: { DOCKER_HOST: engine.host }, home: '/nowhere', onHttp });
  await daemon?.listImages();
  expect(told).toEqual(['GET http://docker/_ping 200 2', 'GET http://docker/v1.41/images/json 200 2']);
});

describe('a Docker daemon in trouble', () => {
  it('that nobody named and that is not there is skipped', async () => {
    await using directory = await temporaryDirectory('engine');
    const env = { DOCKER_CONFIG: directory.path };
    // `undefined` only if this machine has no daemon of its own.
    const found = await dockerDaemonIfUsable({ env, home: directory.path });
    found?.[Symbol.dispose]();
    expect(found === undefined || found.address === 'unix:///var/run/docker.sock').toBe(true);
  });

  it('that is named and is not there is an error', async () => {
    await using directory = await temporaryDirectory('engine');
    const host = `unix://${directory.path}/docker.sock`;
    const error = { code: 'NOT_RUNNING', message: `no Docker daemon listens at ${host}`, hint: expect.any(String) };
    await expect(opened(host)).rejects.toMatchObject(error);
    await mkdir(join(directory.path, 'docker.sock'));
    await expect(opened(host)).rejects.toMatchObject({ code: 'NOT_RUNNING' });
    const notes: string[] = [];
    const settings = { env: { DOCKER_HOST: host }, home: '/nowhere', onNote: (text: string) => notes.push(text) };
    expect(await dockerDaemonIfUsable(settings)).toBeUndefined();
    expect(notes).toEqual([`the Docker daemon is left out: no Docker daemon listens at ${host}`]);
  });

  it('that hangs is given up', async () => {
    await using directory = await temporaryDirectory('engine');
    const socket = join(directory.path, 'docker.sock');
    await using _hanging = await hangingSocket(socket);
    await expect(opened(`unix://${socket}`, { pingWithin: 50 })).rejects.toMatchObject({
      code: 'TIMEOUT',
      message: `the Docker daemon at unix://${socket} does not answer`,
      hint: expect.stringContaining('journalctl'),
    });
  });

  it('that is something else is reported as not a Docker daemon', async () => {
    await using directory = await temporaryDirectory('engine');
    await using engine = await fakeEngine(join(directory.path, 'docker.sock'), () => {}, 'nonsense');
    await expect(opened(engine.host)).rejects.toMatchObject({ code: 'BAD_ANSWER' });
  });

  it('is asked in no newer version of the API than it or this program knows', async () => {
    await using directory = await temporaryDirectory('engine');
    for (const [theirs, ours] of [
      ['1.41', '1.41'],
      ['1.9', '1.9'],
      ['1.99', '1.51'],
    ] as const) {
      const answer: Answer = (_path, _request, response) => response.end('[]');
      await using engine = await fakeEngine(join(directory.path, `${theirs}.sock`), answer, theirs);
      using daemon = await opened(engine.host);
      await daemon.listImages();
      expect(engine.versions).toEqual([ours]);
    }
  });

  it('is quoted in errors about what it refuses', async () => {
    const refuse: Answer = (_path, _request, response) => {
      response.statusCode = 500;
      response.end(JSON.stringify({ message: 'write /var/lib/docker/x: no space left on device\n' }));
    };
    await withEngine(refuse, async (daemon) => {
      await expect(daemon.listImages()).rejects.toMatchObject({
        code: 'NO_SPACE',
        message: 'the Docker daemon says: write /var/lib/docker/x: no space left on device',
      });
    });
  });

  it('that dies in the middle of an answer, or of an archive, has closed the connection', async () => {
    const die: Answer = (path, request, response) => {
      if (path.startsWith('/images/get')) {
        response.write('beginning');
        setTimeout(() => response.destroy(), 20);
      } else request.once('data', () => request.socket.destroy());
    };
    await withEngine(die, async (daemon) => {
      const body = await daemon.save(['x']);
      await expect(Array.fromAsync(body)).rejects.toMatchObject({ code: 'BROKEN_OFF' });
      const archive = async function* () {
        for (let at = 0; at < 1000; at++) yield new Uint8Array(65536);
      };
      await expect(daemon.load(archive())).rejects.toMatchObject({ code: 'BROKEN_OFF' });
    });
  });

  it('takes a whole archive though it says something before its end', async () => {
    let received = 0;
    const early: Answer = (_path, request, response) => {
      response.write('{"stream":"Loading"}\r\n');
      request.on('data', (chunk: Buffer) => {
        received += chunk.length;
      });
      request.on('end', () => response.end('{"stream":"Loaded"}\r\n'));
    };
    await withEngine(early, async (daemon) => {
      const archive = async function* () {
        for (let at = 0; at < 100; at++) yield new Uint8Array(65536);
      };
      await daemon.load(archive());
      expect(received).toBe(100 * 65536);
    });
  });

  it('reports with status 200 that an archive cannot be loaded', async () => {
    const fail: Answer = (_path, request, response) => {
      request.resume().on('end', () => {
        response.write('{"stream":"Loading"}\r\n{"errorDetail":{"message":"bad\\ntar"},');
        response.end('"error":"bad\\ntar"}\r\n');
      });
    };
    await withEngine(fail, async (daemon) => {
      await expect(daemon.load(once(new Uint8Array(3)))).rejects.toMatchObject({
        code: 'SERVER_ERROR',
        message: 'the Docker daemon cannot load it: bad tar',
      });
    });
  });

  it('that dies while an archive is written to it ends that, and waits for nobody', async () => {
    const die: Answer = (_path, request) => request.once('data', () => request.socket.destroy());
    await withEngine(die, async (daemon) => {
      const stream = loadStream(daemon);
      const size = 50_000_000;
      const body = async () => zeros(size);
      await expect(stream.add('one', size, body)).rejects.toMatchObject({ code: 'BROKEN_OFF' });
      await expect(stream.add('two', size, body)).rejects.toMatchObject({ code: 'BROKEN_OFF' });
      await expect(stream.finish()).rejects.toMatchObject({ code: 'BROKEN_OFF' });
    });
  });

  it('that takes no more of an archive is not waited for', async () => {
    await withEngine(
      (_path, request) => request.pause(),
      async (daemon) => {
        const stream = loadStream(daemon);
        const adding = stream.add('one', 50_000_000, async () => zeros(50_000_000));
        adding.catch(() => {});
        await new Promise((done) => setTimeout(done, 100));
        await stream.abort();
        await expect(adding).rejects.toMatchObject({ code: 'ABORTED' });
      },
    );
  });

  it('whose archive ends in the middle has handed out no image', async () => {
    const saved = tar([
      { name: 'manifest.json', data: '[]' },
      { name: 'layer.tar', data: new Uint8Array(100_000) },
    ]);
    const cut: Answer = (path, _request, response) => {
      if (path.startsWith('/images/get')) response.end(saved.subarray(0, 50_000));
      else response.end(JSON.stringify({ Id: `sha256:${'a'.repeat(64)}`, RootFS: { Layers: [] } }));
    };
    await withEngine(cut, async (daemon) => {
      await using scratch = await temporaryDirectory('cut');
      await using source = await openDaemonImage(daemon, { id: 'x' }, { temporaryDirectory: scratch.path });
      await expect(source.root()).rejects.toMatchObject({ code: 'TAR_INVALID' });
      // A second call sends a new request.
      await expect(source.root()).rejects.toMatchObject({ code: 'TAR_INVALID' });
    });
  });

  it('gets no more requests when the caller gives up', async () => {
    await withEngine(
      () => {},
      async (daemon) => {
        const abort = new AbortController();
        const listing = daemon.listImages({ signal: abort.signal });
        abort.abort(new Error('enough'));
        await expect(listing).rejects.toThrow('enough');
      },
    );
  });
});
