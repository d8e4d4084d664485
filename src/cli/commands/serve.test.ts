// What a registry writes into its log. That it serves is tested in tasks/private-registry and test/e2e.
import { expect, it, vi } from 'vitest';
import type { HousekeepingEvent } from '../../observe/housekeeping.ts';
import { ImagesError } from '../../oci/errors.ts';
import type { StoreFault } from '../../storage/check/findings.ts';
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
    const lines = program.noted().map((line) => line.replace(/^\d{4}-\d\d-\d\dT\S+Z /, ''));
    return { lines, request: spy.mock.calls[0]?.[0], settings: spy.mock.calls[0]?.[1], data: program.data };
  } finally {
    spy.mockRestore();
  }
}

/** The lines for what the registry did by itself, without those of every registry. */
async function linesOf(...events: readonly HousekeepingEvent[]): Promise<readonly string[]> {
  const { lines } = await served([], ({ onObservation }) => {
    for (const event of events) onObservation?.(event);
  });
  return lines.slice(0, -2);
}

it('serve logs what it serves where, and that it has stopped', async () => {
  const { lines, data } = await served([], () => undefined);
  expect(lines).toEqual([`serving ${data} at http://127.0.0.1:5000`, 'stopped']);
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

const COLLECTION = {
  tags: [],
  retentionWaits: false,
  manifests: [],
  blobs: 2,
  bytes: 3000,
  recent: { blobs: 0, bytes: 0 },
  isMore: false,
};
const TAG = { repository: 'a', tag: '1', digest: `sha256:${'1'.repeat(64)}` } as const;

it('serve logs what was collected, and what the rules of retention did or would do', async () => {
  const tags = [TAG] as unknown as typeof COLLECTION.tags;
  const lines = await linesOf(
    { type: 'collected', collection: COLLECTION, duration: 1 },
    { type: 'collected', collection: { ...COLLECTION, tags }, duration: 1 },
    { type: 'collected', collection: { ...COLLECTION, tags, retentionWaits: true }, duration: 1 },
  );
  const freed = 'collected garbage: 0 manifests, 2 blobs, 3.0 kB';
  expect(lines).toEqual([
    freed,
    `${freed}, 1 tag that no rule keeps`,
    `${freed}; the rules in registry.toml would remove 1 tag: \`images lreg_gc --dry-run\` shows them, and lets the rules apply`,
  ]);
});

it('serve logs damage when it is found, and at the end of a check what is new', async () => {
  const { digest } = TAG;
  const fault = (at: number): StoreFault => ({
    kind: 'damaged-blob',
    where: `blobs/${at}`,
    digest,
    mend: 'fetch',
    images: Array.from({ length: at }, (_, number) => `a:${number}`),
  });
  const scrubbed = { type: 'scrubbed', blobs: 3, bytes: 5000, mended: 0 } as const;
  const whole = { ...scrubbed, findings: [], news: [], incomplete: [] };
  expect(await linesOf({ type: 'damaged', digest }, whole)).toEqual([
    `ERROR: damaged, and not served any more: ${digest}`,
    'checked the store: 5.0 kB in 3 blobs, all images are whole',
  ]);
  const findings = [fault(1), fault(7)];
  expect(await linesOf({ ...scrubbed, findings, news: findings, incomplete: ['a:0', 'a:1'] })).toEqual([
    `damaged blob ${digest}, needed by a:0`,
    `damaged blob ${digest}, needed by a:0, a:1, a:2, a:3, a:4, and 2 more`,
    'checked the store: 5.0 kB in 3 blobs, 2 images not whole; `images lreg_check --repair` mends what it can',
  ]);
  const many = Array.from({ length: 1000 }, () => fault(1));
  expect((await linesOf({ ...scrubbed, findings: many, news: many, incomplete: ['a:0'] })).length).toBeLessThan(200);
});

it('serve logs what the registry could not do by itself', async () => {
  const error = new ImagesError('NO_SPACE', 'no space left');
  expect(await linesOf({ type: 'housekeeping-failed', error })).toEqual(['ERROR: no space left']);
});

const REQUEST = {
  type: 'request',
  id: 'r-1',
  kind: 'ping',
  method: 'GET',
  url: '/v2/',
  status: 200,
  sent: 2,
  received: 0,
  duration: 1.25,
  remote: '127.0.0.1',
} as const;

it('serve logs failures always, and requests with --verbose', async () => {
  const act = ({ onObservation }: ServeRequest) => {
    onObservation?.(REQUEST);
    onObservation?.({ ...REQUEST, status: 404, code: 'BLOB_UNKNOWN' });
    onObservation?.({ type: 'failure', method: 'PUT', url: '/v2/a', error: new Error('broken') });
    onObservation?.({ type: 'notice', level: 'info', text: 'the configuration has changed' });
  };
  const failed = ['PUT /v2/a ERROR: internal error: broken', 'the configuration has changed'];
  expect((await served([], act)).lines.slice(0, -2)).toEqual(failed);
  expect((await served([], act, { verbose: true })).lines.slice(0, -2)).toEqual([
    'GET /v2/ 200 - sent=2 received=0 1.3ms',
    'GET /v2/ 404 BLOB_UNKNOWN sent=2 received=0 1.3ms',
    ...failed,
  ]);
});

it('serve logs each write and each refusal once that the registry audits', async () => {
  const written = { ...REQUEST, method: 'PUT', url: '/v2/a/manifests/1', status: 201 };
  const { lines, request } = await served(['--audit'], ({ onObservation }) => {
    for (const event of [REQUEST, written]) onObservation?.({ ...event, isAudited: true });
  });
  expect(request).toMatchObject({ isAudited: true });
  expect(lines.slice(0, -2)).toEqual([expect.stringContaining('PUT /v2/a/manifests/1')]);
  expect((await served([], ({ onObservation }) => onObservation?.(written))).lines.slice(0, -2)).toEqual([]);
});
