// Real Docker daemons, one of them behind TLS. They take seconds to start.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { tar } from '../../../test/fixtures/tar.ts';
import { startDockerd } from '../../../test/peers/dockerd.ts';
import { needs } from '../../../test/peers/find.ts';
import { must, start, stop, until } from '../../../test/peers/process.ts';
import { freePort, temporaryDirectory } from '../../../test/peers/temporary.ts';
import { type DockerDaemon, dockerDaemon } from './daemon.ts';
import { flushDaemon } from './flush.ts';

async function opened(DOCKER_HOST: string): Promise<DockerDaemon> {
  const daemon = await dockerDaemon({ env: { DOCKER_HOST }, home: '/nowhere' });
  if (!daemon) throw new Error('no daemon');
  return daemon;
}

const tls = needs('root', 'dockerd', 'docker', 'openssl');

describe.skipIf(tls.missing)(`a Docker daemon behind TLS${tls.why}`, () => {
  it('is spoken to with certificates, and not without', async () => {
    await using scratch = await temporaryDirectory('docker-tls');
    const certificates = await must('bash', ['-ec', CERTIFICATES], { cwd: scratch.path });
    expect(certificates).toContain('ok');
    const at = (name: string) => join(scratch.path, name);
    const port = await freePort();
    const child = start('/usr/sbin/dockerd', [
      `--data-root=${at('data')}`,
      `--exec-root=${at('exec')}`,
      `--host=tcp://127.0.0.1:${port}`,
      '--tlsverify',
      `--tlscacert=${at('ca.pem')}`,
      `--tlscert=${at('server.pem')}`,
      `--tlskey=${at('server-key.pem')}`,
      '--storage-driver=overlay2',
      '--iptables=false',
      '--bridge=none',
      `--pidfile=${at('pid')}`,
    ]);
    child.stdout?.resume();
    child.stderr?.resume();
    try {
      const env = { DOCKER_HOST: `tcp://127.0.0.1:${port}`, DOCKER_TLS_VERIFY: '1', DOCKER_CERT_PATH: scratch.path };
      const find = (settings: Readonly<Record<string, string>>) => dockerDaemon({ env: settings, home: '/nowhere' });
      await until(async () => {
        using daemon = await find(env);
        return daemon !== undefined;
      });
      using daemon = await find(env);
      expect(await daemon?.listImages()).toEqual([]);
      const hint = expect.stringContaining('DOCKER_CERT_PATH');
      await expect(find({ ...env, DOCKER_CERT_PATH: '/nowhere' })).rejects.toMatchObject({ code: 'UNREACHABLE', hint });
      await expect(find({ DOCKER_HOST: env.DOCKER_HOST })).rejects.toMatchObject({ code: 'BAD_ANSWER' });
    } finally {
      await stop(child);
    }
  });
});

/** A CA, a certificate of the daemon and one of a client. */
const CERTIFICATES = `
exec 2>/dev/null
openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=ca -keyout ca-key.pem -out ca.pem
for name in server client; do
  openssl req -newkey rsa:2048 -nodes -subj /CN=$name -keyout $name-key.pem -out $name.csr
  printf 'subjectAltName=IP:127.0.0.1\\nextendedKeyUsage=serverAuth,clientAuth\\n' > ext
  openssl x509 -req -days 2 -in $name.csr -CA ca.pem -CAkey ca-key.pem -CAcreateserial -extfile ext -out $name.pem
done
cp client.pem cert.pem; cp client-key.pem key.pem; echo ok
`;

const dockerd = needs('root', 'dockerd', 'docker');

describe.skipIf(dockerd.missing)(`a real Docker daemon${dockerd.why}`, () => {
  it('is asked for its images and containers, and flushed of all of them', async () => {
    await using peer = await startDockerd();
    using daemon = await opened(peer.host);
    await using directory = await temporaryDirectory('flush');
    const file = join(directory.path, 'root.tar');
    await writeFile(file, tar([{ name: 'etc/' }, { name: 'etc/motd', data: 'hello\n' }]));
    await peer.docker(['import', file, 'example.com/made/one:1']);
    await peer.docker(['tag', 'example.com/made/one:1', 'two:latest']);
    await writeFile(join(directory.path, 'Dockerfile'), 'FROM two\nLABEL a=b\nLABEL c=d\nCMD ["/bin/sh"]\n');
    await must('docker', ['build', '-t', 'built:3', directory.path], {
      env: { DOCKER_HOST: peer.host, DOCKER_BUILDKIT: '0' },
    });
    await peer.docker(['create', '--name', 'waiting', 'built:3']);

    expect((await daemon.ping()).api).toMatch(/^1\.\d+$/);
    expect(await daemon.usesContainerdStore()).toBe(false);
    expect(await daemon.inspectImage('nothing:1')).toBeUndefined();
    const one = await daemon.inspectImage('example.com/made/one:1');
    expect(one).toMatchObject({ os: 'linux', tags: expect.arrayContaining(['example.com/made/one:1', 'two:latest']) });
    expect(one?.diffIds).toHaveLength(1);
    expect(await daemon.inspectImage(one?.id.slice(7, 19) ?? '')).toEqual(one);
    expect((await daemon.listImages()).flatMap(({ tags }) => tags).sort()).toEqual([
      'built:3',
      'example.com/made/one:1',
      'two:latest',
    ]);
    await daemon.tag('built:3', { host: 'localhost:5000', path: 'deep/er', tag: 'x' });
    expect(await daemon.inspectImage('localhost:5000/deep/er:x')).toMatchObject({
      id: (await daemon.inspectImage('built:3'))?.id,
    });
    expect(await daemon.removeImage('localhost:5000/deep/er:x')).toBe(true);
    expect(await daemon.removeImage('localhost:5000/deep/er:x')).toBe(false);
    expect(await daemon.listContainers()).toMatchObject([{ name: 'waiting', image: 'built:3', state: 'created' }]);
    expect(await daemon.inspectContainer('waiting')).toMatchObject({ Name: '/waiting' });

    const events: string[] = [];
    const result = await flushDaemon(daemon, { onEvent: ({ type }) => events.push(type) });
    expect(result).toMatchObject({ containers: 1, failed: [] });
    expect(events[0]).toBe('container-removed');
    expect(events).toHaveLength(1 + result.images);
    expect(await daemon.listImages({ all: true })).toEqual([]);
    expect(await daemon.listContainers()).toEqual([]);
    expect(await flushDaemon(daemon)).toEqual({ containers: 0, images: 0, failed: [] });
  });
});
