// What stands in the log of a registry, in both forms.
import { expect, it } from 'vitest';
import { rememberSecrets } from '../io/text/secrets.ts';
import { ImagesError } from '../oci/errors.ts';
import type { StoreFault } from '../storage/check/findings.ts';
import { createLog, DEFAULT_LOG, type LogSettings } from './log.ts';
import type { Observation } from './observation.ts';

const TIME = Date.parse('2026-11-30T23:00:00Z');

function logged(settings: Partial<LogSettings>, ...events: readonly Observation[]): readonly string[] {
  const written: string[] = [];
  const log = createLog({
    settings: () => ({ ...DEFAULT_LOG, ...settings }),
    write: (lines) => written.push(lines),
    now: () => TIME,
  });
  for (const event of events) log(event);
  return written.join('').split('\n').slice(0, -1);
}

/** Without the time. */
function linesOf(...events: readonly Observation[]): readonly string[] {
  return logged({}, ...events).map((line) => line.replace('2026-11-30T23:00:00.000Z ', ''));
}

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

it('the log says what was collected, and what the rules of retention did or would do', () => {
  const tags = [TAG] as unknown as typeof COLLECTION.tags;
  const lines = linesOf(
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

it('the log says damage when it is found, and at the end of a check what is new', () => {
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
  expect(linesOf({ type: 'damaged', digest }, whole)).toEqual([
    `ERROR: damaged, and not served any more: ${digest}`,
    'checked the store: 5.0 kB in 3 blobs, all images are whole',
  ]);
  const findings = [fault(1), fault(7)];
  expect(linesOf({ ...scrubbed, findings, news: findings, incomplete: ['a:0', 'a:1'] })).toEqual([
    `ERROR: damaged blob ${digest}, needed by a:0`,
    `ERROR: damaged blob ${digest}, needed by a:0, a:1, a:2, a:3, a:4, and 2 more`,
    'WARNING: checked the store: 5.0 kB in 3 blobs, 2 images not whole; `images lreg_check --repair` mends what it can',
  ]);
  const many = Array.from({ length: 1000 }, () => fault(1));
  expect(linesOf({ ...scrubbed, findings: many, news: many, incomplete: ['a:0'] }).length).toBeLessThan(200);
});

it('the log says what the registry could not do by itself', () => {
  const error = new ImagesError('NO_SPACE', 'no space left');
  expect(linesOf({ type: 'housekeeping-failed', error })).toEqual(['ERROR: no space left']);
});

const REQUEST = {
  type: 'request',
  id: 'r-1',
  kind: 'manifest-get',
  method: 'GET',
  url: '/v2/a/manifests/1',
  repository: 'a',
  reference: '1',
  status: 200,
  sent: 2,
  received: 0,
  duration: 1.25,
  remote: '127.0.0.1',
  via: 'nobody',
  userAgent: 'docker/27 "x"',
} as const;
const WITHOUT_TIME = /^\S+ /;

it('requests have a line in the access log, and at the level debug', () => {
  const line =
    '2026-11-30T23:00:00.000Z GET /v2/a/manifests/1 200 - sent=2 received=0 1.3ms from=127.0.0.1 user=nobody id=r-1 agent="docker/27 \\"x\\""';
  expect(logged({}, REQUEST)).toEqual([]);
  expect(logged({ isAccess: true, level: 'error' }, REQUEST)).toEqual([line]);
  expect(logged({ level: 'debug' }, REQUEST)).toEqual([line]);
});

it('as JSON each line is an object with time, level, event and message first', () => {
  const [line = ''] = logged({ isAccess: true, isJson: true }, { ...REQUEST, user: 'anna' });
  expect(Object.keys(JSON.parse(line)).slice(0, 4)).toEqual(['time', 'level', 'event', 'message']);
  expect(JSON.parse(line)).toMatchObject({ event: 'request', request: 'r-1', who: 'anna', address: '127.0.0.1' });
});

it('what is audited has a line each, with or without the access log', () => {
  const written = { ...REQUEST, method: 'PUT', status: 201, user: 'anna', isAudited: true } as const;
  const audit = 'audit: anna 127.0.0.1 PUT /v2/a/manifests/1 201';
  expect(linesOf(written, { ...REQUEST, isAudited: true })).toEqual([audit]);
  expect(logged({ isAccess: true }, written)).toHaveLength(2);
  const [line = ''] = logged({ isJson: true }, written);
  expect(JSON.parse(line)).toMatchObject({ event: 'audit', audit: 'write', message: audit, who: 'anna' });
});

it('a level hides what matters less', () => {
  const events: readonly Observation[] = [
    { type: 'failure', method: 'PUT', url: '/v2/a', error: new Error('broken') },
    { type: 'notice', level: 'warn', text: 'nearly full' },
    { type: 'stopping' },
  ];
  const all = ['ERROR: PUT /v2/a: internal error: broken', 'WARNING: nearly full', 'stopping'];
  const of = (level: LogSettings['level']) =>
    logged({ level }, ...events).map((line) => line.replace(WITHOUT_TIME, ''));
  expect([of('error'), of('warn'), of('info')]).toEqual([all.slice(0, 1), all.slice(0, 2), all]);
});

it('no secret stands in a line, and no text of others makes two of it', () => {
  rememberSecrets('hunter22-hunter22');
  const urls = [
    '/v2/a/manifests/1?token=abcdef&ns=quay.io&_state=zzz',
    'http://me:geheim@host/v2/?X-Amz-Signature=1234#top',
    `/v2/${'x'.repeat(60_000)}?password=hunter22-hunter22`,
    '/v2/a\u2028b?x=\n2026-11-30 ERROR: forged',
  ];
  const error = new Error('GET https://me:hunter22-hunter22@host/: \n2026 forged \u001b[31m');
  const events: readonly Observation[] = [
    ...urls.map((url) => ({ ...REQUEST, url })),
    { type: 'failure', method: 'GET', url: urls[0] ?? '', error },
    { type: 'notice', level: 'warn', text: 'a\nb hunter22-hunter22' },
  ];
  for (const isJson of [false, true]) {
    const lines = logged({ isAccess: true, isJson }, ...events);
    expect(lines).toHaveLength(events.length);
    expect(lines.join('\n')).not.toMatch(/abcdef|zzz|geheim|1234|hunter22|\u001b|\u2028|\r/);
    expect(lines[0]).toContain('token=***&ns=quay.io&_state=***');
    expect(Math.max(...lines.map(({ length }) => length))).toBeLessThan(3000);
  }
});
