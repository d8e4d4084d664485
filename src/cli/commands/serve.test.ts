// What a registry writes into its log. That it serves is tested in tasks/private-registry and test/e2e.
import { expect, it, vi } from 'vitest';
import type { ServeRequest } from '../../tasks/private-registry/serve-registry.ts';
import * as registry from '../../tasks/private-registry/serve-registry.ts';
import { type TestProgramOptions, testProgram } from '../testing/program.ts';

/** `serve` with a registry that does nothing until it is told to, and stops. */
async function served(argv: readonly string[], act: (request: ServeRequest) => void, options: TestProgramOptions = {}) {
  const program = await testProgram(options);
  const spy = vi.spyOn(registry, 'serveRegistry').mockImplementation(async (request) => {
    act(request);
    const addresses = [{ host: '127.0.0.1', port: 5000 }];
    const state = { data: program.data, addresses, version: '1', identity: '1.1', pid: 1, uid: 0, since: '' };
    const reload = async () => ({ file: '', changed: [], waiting: [] });
    const nothing = async () => undefined;
    return {
      state,
      reload,
      drain: nothing,
      stopNow: nothing,
      stopped: Promise.resolve(),
      [Symbol.asyncDispose]: async () => undefined,
    };
  });
  try {
    expect(await program.run('serve', ...argv)).toBe(0);
    const lines = program
      .noted()
      .flatMap((lines) => lines.split('\n'))
      .map((line) => line.replace(/^\d{4}-\d\d-\d\dT\S+Z /, ''));
    return { lines, request: spy.mock.calls[0]?.[0], settings: spy.mock.calls[0]?.[1], data: program.data };
  } finally {
    spy.mockRestore();
  }
}

it('serve writes the log of the registry, and records where it can be read', async () => {
  const { lines, request } = await served(['--log=json,access', '--log-level=warn'], ({ writeLog }) => {
    writeLog?.('one\ntwo\n', false);
    writeLog?.('three\n', true);
  });
  expect(lines).toEqual(['one', 'two', 'three']);
  expect(request).toMatchObject({ log: ['json', 'access'], logLevel: 'warn', logPlace: { kind: expect.any(String) } });
  expect((await served([], () => undefined, { verbose: true })).request).toMatchObject({ logLevel: 'debug' });
});

it('serve passes its options on to the registry', async () => {
  const { request, settings } = await served(
    ['--listen=[::1]:1', '--listen=0.0.0.0:2', '--name=r.io', '--gc=off', '--scrub=off', '--config=/etc/r.toml'],
    () => undefined,
  );
  expect(request).toMatchObject({
    listen: ['[::1]:1', '0.0.0.0:2'],
    names: ['r.io'],
    gc: 'off',
    scrub: 'off',
    version: '1.2.3',
  });
  expect(settings).toMatchObject({ config: '/etc/r.toml' });
});

it('serve passes on who may do what, and how HTTPS is served', async () => {
  const { request } = await served(
    [
      '--auth=htpasswd:users',
      '--read-only-from=10.0.0.0/8, vms',
      '--write-from=local',
      '--write-from=10.1.0.0/16',
      '--tls-cert=c.pem',
      '--tls-key=k.pem',
      '--tls-names=lan,example.com',
    ],
    () => undefined,
  );
  expect(request).toMatchObject({
    auth: 'htpasswd:users',
    readOnlyFrom: ['10.0.0.0/8', 'vms'],
    writeFrom: ['local', '10.1.0.0/16'],
    tlsCertificate: 'c.pem',
    tlsKey: 'k.pem',
    tlsNames: ['lan', 'example.com'],
  });
  expect((await served(['--read-only', '--tls=auto'], () => undefined)).request).toMatchObject({
    readOnly: true,
    tls: 'auto',
  });
});

it.each(['--gc=hourly', '--scrub=daily'])('serve refuses %s', async (option) => {
  const { run } = await testProgram();
  await expect(run('serve', option)).rejects.toMatchObject({ code: 'USAGE', message: expect.stringContaining(option) });
});
